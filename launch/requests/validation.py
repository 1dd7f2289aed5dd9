"""Whether AWS could take a request, by AWS's own description of its API: without an account, without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sized
from difflib import get_close_matches
from functools import cache
from typing import Any

from dogbreed.errors import ConfigError
from launch.requests.request import Request

# AWS writes its patterns for Java; Python has no classes of Unicode's by letters, and \w holds more than these.
JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{M}": "",
    r"\p{P}": "!-/",
}
# So many values are named before it is only said how many there are.
NAMED = 12


def check(request: Request) -> None:
    """Whether the request is complete and each value one that its field can hold.

    botocore looks at names, types and least sizes before it sends anything. Most sizes, patterns and choices it leaves
    to the service: they are looked at here.

    Raises:
        ConfigError: the first fault, with the field it is in; or botocore is not installed.
    """
    shape = _shape(request.service, request.operation)
    # What follows the names and types that botocore has found right looks at the values.
    faults = _faults_of_botocore(request, shape) or _breaches(request.parameters, shape, request.operation)
    for fault in faults:
        raise ConfigError(fault)


@cache
def _shape(service: str, operation: str) -> Any:
    try:
        from botocore.loaders import Loader
        from botocore.model import ServiceModel
    except ImportError as error:
        raise ConfigError(
            'Requests are checked with botocore, which is not installed: pip install -e ".[launch]"'
        ) from error
    return _model(Loader, ServiceModel, service).operation_model(operation).input_shape


@cache
def _model(loader: Any, model: Any, service: str) -> Any:
    return model(loader().load_service_model(service, "service-2"))


def _faults_of_botocore(request: Request, shape: Any) -> list[str]:
    from botocore.validate import ParamValidator

    report: str = ParamValidator().validate(request.parameters, shape).generate_report()
    # One fault a line; what else could stand there is a list of hundreds.
    return [f"{request.operation}: {line.partition(', must be one of:')[0]}." for line in report.splitlines()]


def _breaches(value: Any, shape: Any, path: str) -> Iterator[str]:
    if value is None or shape.type_name not in CHECKS:
        return
    yield from CHECKS[shape.type_name](value, shape, path)


def _structure(value: Any, shape: Any, path: str) -> Iterator[str]:
    for name, member in value.items():
        yield from _breaches(member, shape.members[name], f"{path}.{name}")


def _list(value: Any, shape: Any, path: str) -> Iterator[str]:
    yield from _size(value, shape, path, "items")
    for number, item in enumerate(value):
        yield from _breaches(item, shape.member, f"{path}[{number}]")


def _map(value: Any, shape: Any, path: str) -> Iterator[str]:
    yield from _size(value, shape, path, "entries")
    for key, item in value.items():
        yield from _breaches(key, shape.key, f"{path}: key {key!r}")
        yield from _breaches(item, shape.value, f"{path}.{key}")


def _string(value: Any, shape: Any, path: str) -> Iterator[str]:
    choices, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    yield from _size(value, shape, path, "characters")
    if choices and value not in choices:
        yield f"{path}: expected {_choice(value, choices)}, got {value!r}."
    if pattern and (compiled := _compiled(pattern)) and not compiled.fullmatch(value):
        yield f"{path}: expected a text like {pattern}, got {value!r}."


def _number(value: Any, shape: Any, path: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and value > most:
        yield f"{path}: expected {most} at most, got {value}."


def _size(value: Sized, shape: Any, path: str, unit: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and len(value) > most:
        yield f"{path}: expected {most} {unit} at most, got {len(value)}."


def _choice(value: str, choices: list[str]) -> str:
    if len(choices) <= NAMED:
        return f"one of {', '.join(choices)}"
    near = get_close_matches(value, choices, n=1, cutoff=0)[0]
    return f"one of {len(choices)} values, the nearest {near}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    # One that only Java reads is left to the service.
    except re.error:
        return None


CHECKS = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    **dict.fromkeys(("integer", "long", "float", "double"), _number),
}
