"""Nothing that costs money happens before its plan was shown and somebody said yes."""

from __future__ import annotations

import sys
from collections.abc import Callable

from dogbreed.errors import ConfigError

YES = ("y", "yes")


def confirm(
    plan: str,
    question: str = "Go on?",
    *,
    yes: bool,
    show: Callable[[str], None] = print,
    ask: Callable[[str], str] = input,
    is_terminal: bool | None = None,
) -> None:
    """Show a plan, and return if somebody says yes to it; see `confirmed`.

    Raises:
        ConfigError: the answer is another one, or there is nobody to ask.
    """
    if not confirmed(plan, question, yes=yes, show=show, ask=ask, is_terminal=is_terminal):
        raise ConfigError("Nothing was done: the answer to the plan was not yes.")


def confirmed(
    plan: str,
    question: str = "Go on?",
    *,
    yes: bool,
    show: Callable[[str], None] = print,
    ask: Callable[[str], str] = input,
    is_terminal: bool | None = None,
) -> bool:
    """Show a plan, and ask; whether the answer is yes.

    Args:
        plan: what, where, for how much.
        question: that is asked after it.
        yes: whether the answer was given on the command line.
        show: takes the plan.
        ask: takes the question and answers it, as `input` does.
        is_terminal: whether there is somebody to ask; None looks at stdin.

    Raises:
        ConfigError: there is nobody to ask.

    >>> confirmed("1 x ml.g4dn.xlarge", yes=False, ask=lambda _: "no", is_terminal=True)
    1 x ml.g4dn.xlarge
    False
    """
    show(plan)
    if yes:
        return True
    if not (sys.stdin.isatty() if is_terminal is None else is_terminal):
        raise ConfigError(
            "Expected a yes to the plan above, and there is no terminal to ask at: add yes=true to the command."
        )
    try:
        return ask(f"{question} [y/N] ").strip().lower() in YES
    except EOFError:
        return False
