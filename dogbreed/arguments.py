"""Whether values of a configuration have the kinds that a function's annotations ask for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from dogbreed.errors import ConfigError

# How a message names them; a value of another kind is not judged here.
NAMES: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    NoneType: "null",
}
ACCEPTED: dict[Any, tuple[type, ...]] = {float: (float, int)}


def check_arguments(function: Callable[..., Any], values: Mapping[str, Any], prefix: str) -> None:
    """Compare values with the annotations of the arguments they are for.

    Args:
        function: or a class.
        values: by the argument's name; those of no annotated argument are not judged.
        prefix: of the names in a message.

    Raises:
        ConfigError: a value is of another kind.

    >>> check_arguments(lambda: None, {"free": 1}, "model.")
    """
    initialiser = function.__init__ if inspect.isclass(function) else function
    hints = get_type_hints(initialiser)
    for name, value in values.items():
        kinds = _kinds(hints.get(name, Any))
        if kinds and not any(_is(value, kind) for kind in kinds):
            expected = " or ".join(_name(kind) for kind in kinds)
            raise ConfigError(f"Expected {prefix}{name} to be {expected}, got {value!r}.")


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation; none where one of them is nothing that a configuration can write."""
    alternatives = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    judged = all(kind in NAMES or get_origin(kind) is Sequence for kind in alternatives)
    return alternatives if judged else ()


def _is(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Sequence:
        return isinstance(value, (list, tuple)) and all(_is(item, get_args(kind)[0]) for item in value)
    # By type, not by isinstance: Python takes a truth value for a whole number.
    return type(value) in ACCEPTED.get(kind, (kind,))


def _name(kind: Any) -> str:
    return NAMES.get(kind) or f"a list, each of it {NAMES[get_args(kind)[0]]}"
