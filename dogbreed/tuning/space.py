"""What a search may choose: plain values, known neither to Hydra, nor to Optuna, nor to a cloud."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from dogbreed.errors import ConfigError


@dataclass(frozen=True)
class Uniform:
    """Any number from `low` to `high`, each as likely.

    Raises:
        ConfigError: not two finite numbers, the lower first.

    >>> Uniform(0.0, 0.5).contains(0.25)
    True
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_bounds(self)

    def contains(self, value: Any) -> bool:
        """Whether the search could choose the value."""
        return _is_number(value) and self.low <= value <= self.high


@dataclass(frozen=True)
class LogUniform:
    """Any number from `low` to `high`, each order of magnitude as likely: for learning rates and their like.

    Raises:
        ConfigError: not two finite numbers above zero, the lower first.

    >>> LogUniform(1e-5, 1e-2).contains(0.1)
    False
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_bounds(self, above=0.0)

    def contains(self, value: Any) -> bool:
        """Whether the search could choose the value."""
        return _is_number(value) and self.low <= value <= self.high


@dataclass(frozen=True)
class Integers:
    """Any whole number from `low` to `high`, both included.

    Raises:
        ConfigError: not two whole numbers, the lower first.

    >>> Integers(5, 20).contains(20)
    True
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if type(self.low) is not int or type(self.high) is not int:
            raise ConfigError(f"Expected whole numbers, got {self}.")
        _check_bounds(self)

    def contains(self, value: Any) -> bool:
        """Whether the search could choose the value."""
        return type(value) is int and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of some values, in no order: numbers, texts, truth values, None, or lists of them.

    Raises:
        ConfigError: fewer than two values, or one of them twice.

    >>> Choice([[], [256], [512]]).contains([256])
    True
    """

    values: Sequence[Any]

    def __post_init__(self) -> None:
        if isinstance(self.values, str) or not isinstance(self.values, Sequence) or len(self.values) < 2:
            raise ConfigError(f"Expected a choice of at least two values, got {self.values!r}.")
        twice = [value for place, value in enumerate(self.values) if _is_in(value, self.values[:place])]
        if twice:
            raise ConfigError(f"Expected each value of a choice once, got {twice[0]!r} twice.")

    def contains(self, value: Any) -> bool:
        """Whether the search could choose the value."""
        return _is_in(value, self.values)


Parameter: TypeAlias = Uniform | LogUniform | Integers | Choice
# By the name of the setting, as "model.learning_rate".
Space: TypeAlias = Mapping[str, Parameter]


def _is_in(value: Any, values: Sequence[Any]) -> bool:
    """Python takes True for 1, a run does not."""
    return any(type(value) is type(other) and value == other for other in values)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _check_bounds(range_: Uniform | LogUniform | Integers, above: float = -math.inf) -> None:
    low, high = range_.low, range_.high
    if not (_is_number(low) and _is_number(high) and above < low < high):
        positive = " above zero" if above == 0 else ""
        raise ConfigError(f"Expected two numbers{positive}, the lower first, got {range_}.")
