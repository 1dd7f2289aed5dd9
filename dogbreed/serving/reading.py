"""The body of a request as photos, or as images that were preprocessed elsewhere."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dogbreed.data.photos import MAX_BYTES, MAX_PIXELS, open_photo
from dogbreed.errors import DataError
from dogbreed.serving.error import RequestError

MAX_PHOTOS = 64  # a request
Images = Sequence[Image.Image] | Tensor


def read_photo(body: bytes) -> list[Image.Image]:
    """One photo, of any format that can be trained on.

    Raises:
        RequestError: it is none.
    """
    try:
        return [open_photo(body)]
    except DataError as error:
        raise RequestError(400, str(error)) from error


def read_json(body: bytes) -> Images:
    """Photos in base64, as `{"image": …}` or `{"instances": [{"data": …}, …]}`.

    Raises:
        RequestError: something else.
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"Expected JSON: {str(error) or 'it is nested too deeply'}.") from error
    instances = _instances(request)
    if not 1 <= len(instances) <= MAX_PHOTOS:
        raise RequestError(400, f"Expected 1 to {MAX_PHOTOS} instances, got {len(instances)}.")
    photos: list[Image.Image] = []
    for instance in instances:
        photos += read_photo(_decoded(instance))
        # A flat photo is a few bytes and as many pixels as any: what comes out counts, of all of them together.
        if sum(photo.width * photo.height for photo in photos) > MAX_PIXELS:
            raise RequestError(413, f"Expected photos of at most {MAX_PIXELS:,} pixels in one request.")
    return photos


def read_npy(body: bytes) -> Images:
    """An array of NumPy's format.

    Either uint8 photos, shape (N, 3, H, W) or (N, H, W, 3), or float32 images, shape (N, 3, H, W) or (3, H, W), that
    were resized, cropped and normalised as the network expects them.

    Raises:
        RequestError: something else; nothing that is no array of numbers is read.
    """
    array = _array(body)
    if array.dtype == np.float32 and (array.ndim == 3 or array.ndim == 4) and array.shape[-3] == 3:
        if not np.isfinite(array).all():
            raise RequestError(400, "Expected an array of finite numbers.")
        return torch.from_numpy(array.reshape(-1, *array.shape[-3:]).copy())
    if array.dtype == np.uint8 and array.ndim == 4 and 3 in (array.shape[1], array.shape[3]):
        photos = array.transpose(0, 2, 3, 1) if array.shape[1] == 3 else array
        return [photo for pixels in photos for photo in _opened(np.ascontiguousarray(pixels))]
    raise RequestError(
        400,
        "Expected uint8 photos (N, 3, H, W) or (N, H, W, 3), or float32 images, preprocessed, (N, 3, H, W) or "
        f"(3, H, W), got {array.dtype} {array.shape}.",
    )


def _opened(pixels: np.ndarray[Any, Any]) -> list[Image.Image]:
    try:
        return [open_photo(Image.fromarray(pixels))]
    except DataError as error:
        raise RequestError(400, str(error)) from error


def _instances(request: Any) -> list[Any]:
    if isinstance(request, dict) and isinstance(request.get("instances"), list):
        return [one.get("data", one) if isinstance(one, dict) else one for one in request["instances"]]
    return [request["image"]] if isinstance(request, dict) and "image" in request else [request]


def _decoded(instance: Any) -> bytes:
    if isinstance(instance, dict) and "url" in instance:
        raise RequestError(400, "Expected the photo itself, in base64: this endpoint fetches no URL.")
    if not isinstance(instance, str):
        raise RequestError(400, 'Expected {"image": BASE64} or {"instances": [{"data": BASE64}, …]}.')
    try:
        return base64.b64decode(instance, validate=True)
    except ValueError as error:
        raise RequestError(400, f"Expected a photo in base64: {error}.") from error


def _array(body: bytes) -> np.ndarray[Any, Any]:
    """The array, after its header was found to describe just what follows: no object is ever built from a request."""
    try:
        file = io.BytesIO(body)
        major, _ = np.lib.format.read_magic(file)
        shape, _, dtype = HEADERS[major](file)
    except (ValueError, KeyError, SyntaxError, EOFError, MemoryError, RecursionError, TypeError) as error:
        raise RequestError(400, "Expected an array in NumPy's format (.npy).") from error
    follows = len(body) - file.tell()
    if dtype not in (np.uint8, np.float32) or math.prod(shape) * dtype.itemsize != follows:
        raise RequestError(400, f"Expected an array of uint8 or float32 and its bytes, got {dtype} {shape}.")
    many = len(shape) == 4 and shape[0] > MAX_PHOTOS
    if not shape or min(shape) < 1 or many or math.prod(shape) > MAX_PIXELS * 3:
        raise RequestError(413, f"Expected 1 to {MAX_PHOTOS} photos of at most {MAX_PIXELS:,} pixels, got {shape}.")
    return np.load(io.BytesIO(body), allow_pickle=False)  # type: ignore[no-any-return]


HEADERS: dict[int, Callable[[Any], Any]] = {
    1: np.lib.format.read_array_header_1_0,
    2: np.lib.format.read_array_header_2_0,
}
READERS: dict[str, Callable[[bytes], Images]] = {
    "image/jpeg": read_photo,
    "image/png": read_photo,
    "image/webp": read_photo,
    "application/x-image": read_photo,
    "application/json": read_json,
    "application/x-npy": read_npy,
}


def read_request(body: bytes | bytearray | str, content_type: str | None) -> Images:
    """What the body of a request holds, by its media type; None where the request names none.

    Raises:
        RequestError: an unknown type, a body that is not of it, or one that is too large.
    """
    media = (content_type or "").partition(";")[0].strip().lower()
    if media not in READERS:
        raise RequestError(415, f"Expected a content type of {', '.join(READERS)}, got {media[:80]!r}.")
    content = body.encode() if isinstance(body, str) else bytes(body)
    if len(content) > MAX_BYTES:
        raise RequestError(413, f"Expected at most {MAX_BYTES >> 20} MiB, got {len(content) / 2**20:.1f}.")
    return READERS[media](content)
