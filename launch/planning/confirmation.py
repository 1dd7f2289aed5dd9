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
    """Show a plan, ask, and return if the answer is yes.

    Args:
        plan: what, where, for how much.
        question: that is asked after it.
        yes: whether the answer was given on the command line.
        show: takes the plan.
        ask: takes the question and answers it, as `input` does.
        is_terminal: whether there is somebody to ask; None looks at stdin.

    Raises:
        ConfigError: the answer is another one, or there is nobody to ask.

    >>> confirm("1 x ml.g4dn.xlarge", yes=False, ask=lambda _: "yes", is_terminal=True)
    1 x ml.g4dn.xlarge
    """
    show(plan)
    if yes:
        return
    if not (sys.stdin.isatty() if is_terminal is None else is_terminal):
        raise ConfigError(
            "Expected a yes to the plan above, and there is no terminal to ask at: add yes=true to the command."
        )
    try:
        answer = ask(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in YES:
        raise ConfigError("Nothing was done: the answer to the plan was not yes.")
