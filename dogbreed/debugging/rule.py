"""A rule: what it has to see of a run, what it makes of that, and what to do about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from dogbreed.debugging.finding import Finding
from dogbreed.debugging.series import Tensors
from dogbreed.errors import ConfigError

Mode = Literal["TRAIN", "EVAL"]
# Counts of which there is at least one.
POSITIVE = ("num_steps", "patience", "steps", "window", "category_no")
# What those are that are not set by default; all others are names.
UNSET = {"category_no": int, "max_threshold": float, "min_threshold": float}


@dataclass(frozen=True)
class Wanted:
    """Which recordings a rule is given, and what is kept of each.

    Attributes:
        keep: what is kept of a tensor; of a tensor and its recording before, where `pairwise`.
        collections: whose tensors; none for all.
        regex: of the names of further tensors; a trial recorded elsewhere may have no such collection.
        mode: TRAIN, EVAL, or both.
        pairwise: whether `keep` compares a tensor with its recording before.
    """

    keep: Callable[..., Any]
    collections: tuple[str, ...] = ()
    regex: str = ""
    mode: Mode | None = "TRAIN"
    pairwise: bool = False


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    Attributes:
        check: the pure function. Its keyword-only arguments are parameters of the rule.
        wants: from the parameters, the recordings that the rule is about, by a name for each kind.
        advice: what to change where there is an issue.
        arrange: from the series of each tensor, for each of `wants`, the positional arguments of `check`.
        reading: parameters of `wants`, with their defaults.
    """

    check: Callable[..., Finding]
    wants: Callable[[Mapping[str, Any]], dict[str, Wanted]]
    advice: str
    arrange: Callable[[Mapping[str, Tensors]], Sequence[Any]] = lambda given: tuple(given.values())
    reading: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters with their defaults."""
        arguments = inspect.signature(self.check).parameters.values()
        return {a.name: a.default for a in arguments if a.kind is a.KEYWORD_ONLY} | dict(self.reading)

    def settings(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with those given.

        Args:
            name: of the rule.
            given: parameters.

        Raises:
            ConfigError: there is no such parameter, or its value cannot be used.
        """
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            known = ", ".join(self.parameters) or "none"
            raise ConfigError(f"Rule {name} has no parameter {unknown[0]!r}; its parameters are: {known}.")
        return self.parameters | {key: fitting(name, key, self.parameters[key], value) for key, value in given.items()}

    def __call__(self, name: str, given: Mapping[str, Tensors], settings: Mapping[str, Any]) -> Finding:
        """The rule's answer; one that fails says so, and stops nothing.

        Args:
            name: of the rule.
            given: the series of each tensor, for each of `wants`.
            settings: all parameters.
        """
        of_check = {key: value for key, value in settings.items() if key not in self.reading}
        try:
            with np.errstate(all="ignore"):
                finding = self.check(*self.arrange(given), **of_check)
        except Exception as error:
            return Finding(name, "Error", f"{type(error).__name__}: {error}")
        return replace(finding, rule=name, advice=self.advice if finding.status == "IssuesFound" else "")


def fitting(rule: str, name: str, default: Any, value: Any) -> Any:
    """A parameter's value, if it can stand in place of its default.

    Args:
        rule: the rule's name.
        name: the parameter's.
        default: its default.
        value: what was given.

    Raises:
        ConfigError: it is of another kind, or a count is too low.

    >>> fitting("DeadRelu", "threshold_layer", 50.0, 30)
    30
    """
    kind = UNSET.get(name, str) if default is None else type(default)
    least = int(name in POSITIVE)
    expected, fits = KINDS[kind]
    if (value is None and default is None) or (fits(value) and not (kind is int and value < least)):
        return value
    raise ConfigError(f"Expected {name} of rule {rule} to be {expected.format(least)}, got {value!r}.")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _several(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


KINDS: dict[type, tuple[str, Callable[[Any], bool]]] = {
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("a whole number of at least {}", lambda value: isinstance(value, int) and _number(value)),
    float: ("a number", _number),
    tuple: (
        "two numbers, the lower first",
        lambda value: _several(value) and len(value) == 2 and all(map(_number, value)) and value[0] < value[1],
    ),
    str: (
        "a text, or a list of texts",
        lambda value: all(isinstance(part, str) for part in (value if _several(value) else [value])),
    ),
}
