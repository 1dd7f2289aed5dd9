"""Photos in JSON: their files in base64, or where they are."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from dogbreed.serving.bodies.plain_json import plain_json
from dogbreed.serving.error import RequestError

# How the clients of several servers name a file in base64; a URL is named in one way.
FILE, URL = ("data", "b64", "image"), "url"
EXPECTED = 'Expected {"image": BASE64}, {"url": URL} or {"instances": [{"data": BASE64}, …]}.'


def photo_files(body: bytes, max_photos: int, fetch: Callable[[str], bytes]) -> Iterator[bytes]:
    """The files in `{"image": BASE64}`, `{"url": URL}`, or `{"instances": […]}` of such objects or of base64 alone.

    What is there is all checked before the first is decoded or fetched.

    Args:
        body: JSON.
        max_photos: in it.
        fetch: of a URL.

    Raises:
        RequestError: something else, or what `fetch` raises.
    """
    named = [_named(instance) for instance in _instances(plain_json(body))]
    if not 1 <= len(named) <= max_photos:
        raise RequestError(400, f"Expected 1 to {max_photos} instances, got {len(named)}.")
    return (fetch(text) if name == URL else _decoded(text) for name, text in named)


def _instances(request: Any) -> list[Any]:
    if not isinstance(request, dict) or "instances" not in request:
        return [request]
    if not isinstance(request["instances"], list) or request.keys() & {*FILE, URL}:
        raise RequestError(400, EXPECTED)
    return request["instances"]


def _named(instance: Any) -> tuple[str, str]:
    found = instance if isinstance(instance, dict) else {"data": instance}
    names = [name for name in (*FILE, URL) if name in found]
    if len(names) != 1 or not isinstance(found[names[0]], str):
        raise RequestError(400, EXPECTED)
    return names[0], found[names[0]]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise RequestError(400, f"Expected a photo in base64: {error}.") from error
