"""JSON whose parsing costs no more than a few times its length, as what it plainly says."""

from __future__ import annotations

import json
from typing import Any

from dogbreed.serving.error import RequestError

DEPTH = 100
# What makes a value in memory of a byte in a body: `[[],[],…]` takes twenty times what it is as text.
PARTS = b"[{,"
MOST_PARTS = 20_000


def plain_json(body: bytes) -> Any:
    """The value in a body.

    Raises:
        RequestError: no JSON in UTF-8, or one that is too deep or has too many parts, with a name twice in an object,
            or with numbers that JSON does not have.

    >>> plain_json(b'{"image": "eA=="}')
    {'image': 'eA=='}
    """
    if sum(body.count(part) for part in PARTS) > MOST_PARTS:
        raise RequestError(400, f"Expected JSON of at most {MOST_PARTS:,} parts.")
    try:
        value = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise RequestError(400, f"Expected JSON in UTF-8: {_plain(error)}.") from error
    if _deeper_than(DEPTH, value):
        raise _too_deep()
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _deeper_than(levels: int, value: Any) -> bool:
    level = [value]
    for _ in range(levels):
        level = [child for one in level for child in _children(one)]
    return any(isinstance(one, dict | list) for one in level)


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _too_deep() -> RequestError:
    return RequestError(400, f"Expected JSON that is nested at most {DEPTH} levels deep.")


def _plain(error: ValueError) -> str:
    # The exception of a body that is no UTF-8 quotes it whole.
    return f"byte {error.start} is none" if isinstance(error, UnicodeDecodeError) else str(error)
