"""A setting and its value as Hydra's command line writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dogbreed.errors import ConfigError

NAME = re.compile(r"[A-Za-z_]\w*([./][A-Za-z_]\w*)*", re.ASCII)
# What needs no quotes: it cannot be taken for a number, nor for anything else of the grammar.
PLAIN = re.compile(r"[A-Za-z_/][\w/.-]*", re.ASCII)
RESERVED = {"true", "false", "null", "inf", "nan"}
# Backslashes count where a quote follows them, the closing one too, and nowhere else.
BEFORE_QUOTE = re.compile(r"(\\*)('|\Z)")


def override_text(name: str, value: Any) -> str:
    """The override that gives a setting a value: Hydra reads exactly this value back.

    A text with `${…}` is an interpolation and `???` a missing value to the configuration, as on the command line.

    Args:
        name: of the setting, with dots, or of a group of choices.
        value: None, a truth value, a number, a text, or lists and dicts of these.

    Raises:
        ConfigError: a name or value that the grammar cannot write.

    >>> override_text("model.learning_rate", 1e-05)
    'model.learning_rate=1e-05'
    >>> override_text("model.hidden", [512, "1e-05", None])
    "model.hidden=[512,'1e-05',null]"
    """
    if not NAME.fullmatch(name):
        raise ConfigError(f"Expected the name of a setting, as model.learning_rate, got {name!r}.")
    try:
        return f"{name}={_written(value)}"
    except ConfigError as error:
        raise ConfigError(f"Cannot set {name}: {error}") from error


def _written(value: Any) -> str:
    # By type: Python takes a truth value for a whole number, and numpy's numbers do not write themselves as Python's.
    if type(value) not in WRITERS:
        raise ConfigError(f"expected a number, a text, true, false, null, or lists or dicts of them, got {value!r}.")
    return WRITERS[type(value)](value)


def _text(text: str) -> str:
    if _is_plain(text):
        return text
    quoted = BEFORE_QUOTE.sub(lambda found: found[1] * 2 + (r"\'" if found[2] else ""), text)
    return f"'{quoted}'"


def _list(values: Sequence[Any]) -> str:
    return f"[{','.join(map(_written, values))}]"


def _dict(values: Mapping[Any, Any]) -> str:
    # Where a key stands, the grammar has no quotes.
    if odd := [key for key in values if not (isinstance(key, str) and _is_plain(key))]:
        raise ConfigError(f"expected keys that Hydra needs no quotes for, got {odd[0]!r}.")
    return f"{{{','.join(f'{key}:{_written(value)}' for key, value in values.items())}}}"


def _is_plain(text: str) -> bool:
    return PLAIN.fullmatch(text) is not None and text.lower() not in RESERVED


WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "null",
    bool: lambda value: str(value).lower(),
    int: str,
    float: repr,
    str: _text,
    list: _list,
    tuple: _list,
    dict: _dict,
}
