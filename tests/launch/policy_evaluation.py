"""Whether an IAM policy allows something: as much of IAM's evaluation as the printed policies use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def allows(policy: Mapping[str, Any], action: str, resource: str, **context: str) -> bool:
    """Args: `context` has the condition keys, with __ for a colon and _ for a slash."""
    return any(
        action in statement["Action"]
        and any(matches(pattern, resource) for pattern in statement["Resource"])
        and all(OPERATORS[operator](keys, context) for operator, keys in statement.get("Condition", {}).items())
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
    )


def matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def _given(key: str, context: Mapping[str, str]) -> str | None:
    return context.get(key.replace(":", "__").replace("/", "_"))


def _patterns(wanted: str | list[str]) -> list[str]:
    return [wanted] if isinstance(wanted, str) else wanted


def _equals(keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    return all(_given(key, context) in _patterns(wanted) for key, wanted in keys.items())


def _like(keys: Mapping[str, Any], context: Mapping[str, str], missing: bool = False) -> bool:
    given = {key: _given(key, context) for key in keys}
    return all(
        missing if given[key] is None else any(matches(one, str(given[key])) for one in _patterns(wanted))
        for key, wanted in keys.items()
    )


def _like_if_exists(keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    return _like(keys, context, missing=True)


OPERATORS = {"StringEquals": _equals, "StringLike": _like, "StringLikeIfExists": _like_if_exists}
