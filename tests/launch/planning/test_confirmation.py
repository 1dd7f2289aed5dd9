from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest

from dogbreed.errors import ConfigError
from launch.planning.confirmation import confirm


def nobody(_: str) -> str:
    raise EOFError


@pytest.mark.parametrize(
    ("answer", "is_yes"),
    [("y", True), ("yes", True), (" YES ", True), ("", False), ("n", False), ("yep", False), ("j", False)],
)
def test_only_a_yes_goes_on(answer: str, is_yes: bool) -> None:
    shown: list[str] = []
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return answer

    with nullcontext() if is_yes else pytest.raises(ConfigError, match="Nothing was done"):
        confirm("1 x", "Send it?", yes=False, show=shown.append, ask=ask, is_terminal=True)
    assert (shown, asked) == (["1 x"], ["Send it? [y/N] "])


def test_a_yes_on_the_command_line_asks_nobody_and_still_shows_the_plan() -> None:
    shown: list[str] = []
    confirm("1 x", yes=True, show=shown.append, ask=nobody, is_terminal=False)
    assert shown == ["1 x"]


@pytest.mark.parametrize("ask", [nobody, lambda _: "y"])
def test_without_a_terminal_and_a_yes_the_plan_is_refused_in_one_line(ask: Callable[[str], str]) -> None:
    shown: list[str] = []
    with pytest.raises(ConfigError, match="add yes=true to the command"):
        confirm("1 x", yes=False, show=shown.append, ask=ask, is_terminal=False)
    assert shown == ["1 x"]


def test_a_terminal_that_is_closed_says_no() -> None:
    with pytest.raises(ConfigError, match="Nothing was done"):
        confirm("1 x", yes=False, show=lambda _: None, ask=nobody, is_terminal=True)


def test_a_pytest_run_is_no_terminal() -> None:
    with pytest.raises(ConfigError, match="no terminal"):
        confirm("1 x", yes=False, show=lambda _: None)
