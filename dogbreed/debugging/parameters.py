"""The parameters of a rule: what can be set, and whether what was given can stand there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dogbreed.errors import ConfigError

# Counts of which there is at least one.
POSITIVE = ("num_steps", "patience", "steps", "window", "category_no")
# What those are that are not set by default; all others are names.
UNSET = {"category_no": int, "max_threshold": float, "min_threshold": float}


def keyword_defaults(check: Callable[..., Any]) -> dict[str, Any]:
    """The keyword-only arguments of a rule's function, with their defaults."""
    arguments = inspect.signature(check).parameters.values()
    return {a.name: a.default for a in arguments if a.kind is a.KEYWORD_ONLY}


def chosen(rule: str, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a rule with those given.

    Raises:
        ConfigError: there is no such parameter, or its value cannot be used.
    """
    if unknown := sorted(set(given) - set(defaults)):
        known = ", ".join(defaults) or "none"
        raise ConfigError(f"Rule {rule} has no parameter {unknown[0]!r}; its parameters are: {known}.")
    return {**defaults, **{key: fitting(rule, key, defaults[key], value) for key, value in given.items()}}


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
