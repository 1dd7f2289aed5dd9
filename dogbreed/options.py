"""`key=value` arguments of a command as the fields of a dataclass, for commands that need no configuration files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from dogbreed.errors import ConfigError

Options = TypeVar("Options")
TRUTH = {"true": True, "false": False}
EXPECTED: dict[type, str] = {int: "a whole number", float: "a number", bool: "true or false"}


def parse_options(kind: type[Options], arguments: Sequence[str]) -> tuple[Options, list[str]]:
    """The options, and the arguments that are no options.

    A field's metadata may hold `key` (what it is called on the command line, else its name), `choices`, `least` (the
    smallest allowed number) and `needed` (a sentence: what was expected, if the option is not given).
    `--key=value`, `--key value` and, of a truth value, `--key` say the same as `key=value`.

    Args:
        kind: a dataclass of texts, whole numbers, numbers and truth values, each with a default.
        arguments: of the command line. An existing path is never an option, whatever its name.

    Raises:
        ConfigError: an unknown key (the nearest is offered), a value that cannot be used, or one that is needed.
    """
    known = {field.metadata.get("key", field.name): field for field in fields(kind)}  # type: ignore[arg-type]
    kinds, values, rest = get_type_hints(kind), dict[str, Any](), list[str]()
    for argument in _without_dashes(arguments, {key: kinds[field.name] for key, field in known.items()}):
        key, equals, text = argument.partition("=")
        if not equals or _is_there(argument):
            rest.append(argument)
            continue
        field = _known_field(known, key)
        values[field.name] = _checked(key, text, _read(key, text, kinds[field.name]), field.metadata)
    for field in known.values():
        if "needed" in field.metadata and not values.get(field.name):
            raise ConfigError(field.metadata["needed"])
    return kind(**values), rest


def only_options(kind: type[Options], arguments: Sequence[str]) -> Options:
    """As `parse_options`, for a command that takes nothing else.

    Raises:
        ConfigError: also for an argument that is no option.
    """
    options, rest = parse_options(kind, arguments)
    if rest:
        raise ConfigError(f"Expected key=value, got {rest[0]!r}. All settings: --help")
    return options


def _without_dashes(arguments: Sequence[str], kinds: Mapping[str, type]) -> Iterator[str]:
    """The arguments, those that begin with `--` and the key of an option as `key=value`.

    >>> list(_without_dashes(["--out", "a.csv", "--top-k=3", "--tta", "--x"], {"out": str, "top_k": int, "tta": bool}))
    ['out=a.csv', 'top_k=3', 'tta=true', '--x']
    """
    left = iter(arguments)
    for argument in left:
        name, equals, text = argument.partition("=")
        key = next((key for key in kinds if f"--{key.replace('_', '-')}" == name.replace("_", "-")), None)
        if key is None:
            yield argument
        elif equals or kinds[key] is bool:
            yield f"{key}={text if equals else 'true'}"
        else:
            yield f"{key}={_following(left, name)}"


def _following(left: Iterator[str], name: str) -> str:
    try:
        return next(left)
    except StopIteration:
        raise ConfigError(f"Expected a value after {name}.") from None


def _is_there(argument: str) -> bool:
    try:
        return Path(argument).exists()
    # Longer than a path may be.
    except (OSError, ValueError):
        return False


def _known_field(known: Mapping[str, Field[Any]], key: str) -> Field[Any]:
    if key not in known:
        endings = [name for name in known if key.rpartition(".")[2] == name.rpartition(".")[2]]
        near = endings or get_close_matches(key, known, n=1) or [", ".join(known)]
        raise ConfigError(f"Unknown setting {key!r}: did you mean {near[0]}? All settings: --help")
    return known[key]


def _read(key: str, text: str, kind: type) -> Any:
    try:
        return TRUTH[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError) as error:
        raise ConfigError(f"Expected {key} to be {EXPECTED[kind]}, got {text!r}.") from error


def _checked(key: str, text: str, value: Any, limits: Mapping[str, Any]) -> Any:
    if "least" in limits and not value >= limits["least"]:
        raise ConfigError(f"Expected {key} to be at least {limits['least']}, got {text}.")
    if "choices" in limits and value not in limits["choices"]:
        raise ConfigError(f"Expected {key} to be one of {', '.join(limits['choices'])}, got {text!r}.")
    return value
