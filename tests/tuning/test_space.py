from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from dogbreed.errors import ConfigError
from dogbreed.tuning import Choice, Integers, LogUniform, Uniform


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Uniform(1.0, 1.0),
        lambda: Uniform(0.0, math.inf),
        lambda: Uniform(math.nan, 1.0),
        lambda: Uniform("0", 1.0),  # type: ignore[arg-type]
        lambda: LogUniform(0.0, 1.0),
        lambda: LogUniform(-1.0, 1.0),
        lambda: Integers(1, 2.5),  # type: ignore[arg-type]
        lambda: Integers(True, 3),
        lambda: Choice([1]),
        lambda: Choice("ab"),
        lambda: Choice([1, 2, 1]),
        lambda: Choice([[], [1], []]),
    ],
)
def test_a_range_that_is_none_is_refused(wrong: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError, match="Expected"):
        wrong()


@pytest.mark.parametrize(
    ("parameter", "inside", "outside"),
    [
        (Uniform(0.0, 0.5), [0, 0.0, 0.5], [0.6, -0.1, "0.1", None, True, math.nan]),
        (LogUniform(1e-4, 1e-2), [1e-4, 1e-2], [1e-5, 1]),
        (Integers(5, 20), [5, 20], [4, 5.0, True, "5"]),
        (Choice([1, [512], None, True, "cosine"]), [1, [512], None, True, "cosine"], [1.0, [], False, "true"]),
    ],
)
def test_a_space_says_what_could_be_chosen(parameter: Any, inside: list[Any], outside: list[Any]) -> None:
    assert all(parameter.contains(value) for value in inside)
    assert not any(parameter.contains(value) for value in outside)


def test_a_truth_value_and_a_number_are_two_choices() -> None:
    assert Choice([True, 1]).contains(1)
    assert not Choice([True, 2]).contains(1)
