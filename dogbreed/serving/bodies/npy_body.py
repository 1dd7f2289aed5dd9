"""An array in NumPy's format, as photos or as images that were preprocessed elsewhere; it is never unpickled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dogbreed.serving.bodies.npy_header import Header, read_header
from dogbreed.serving.error import RequestError

# Normalised colours are within 3 of zero, and those of a photo as it is within 255. Far beyond, a network's sums
# overflow, and its answer would be no number.
LARGEST = 1000.0
SHAPES = "uint8 photos (N, 3, H, W) or (N, H, W, 3), or float32 images, preprocessed, (N, 3, H, W) or (3, H, W)"


def read_array(body: bytes, max_photos: int, max_pixels: int) -> list[Image.Image] | Tensor:
    """uint8 arrays as photos; float32 and float64 ones as images that are resized, cropped and normalised already.

    Either byte order is right, and either order of axes in memory.

    Args:
        body: the whole file, with nothing behind the array.
        max_photos: in it.
        max_pixels: of all of them together.

    Raises:
        RequestError: something else.
    """
    header = read_header(body)
    _check(header, len(body) - header.start, max_photos, max_pixels)
    array = _array(body, header)
    return _photos(array) if array.dtype == np.uint8 else _images(array)


def _check(header: Header, follows: int, max_photos: int, max_pixels: int) -> None:
    shape, floats = header.shape, header.dtype != np.uint8
    if math.prod(shape) * header.dtype.itemsize != follows:
        raise RequestError(400, f"Expected an array {shape} of {header.dtype.name} and its bytes, got {follows:,}.")
    if not (_is_channels_first(shape, floats) or (len(shape) == 4 and shape[3] == 3 and not floats)):
        raise RequestError(400, f"Expected {SHAPES}, got {header.dtype.name} {shape}.")
    photos = shape[0] if len(shape) == 4 else 1
    if min(shape) < 1 or photos > max_photos or math.prod(shape) > 3 * max_pixels:
        raise RequestError(413, f"Expected 1 to {max_photos} photos of at most {max_pixels:,} pixels, got {shape}.")


def _is_channels_first(shape: tuple[int, ...], floats: bool) -> bool:
    return (len(shape) == 4 or (floats and len(shape) == 3)) and shape[-3] == 3


def _array(body: bytes, header: Header) -> np.ndarray[Any, Any]:
    numbers = np.frombuffer(body, header.dtype, offset=header.start)
    return numbers.reshape(header.shape, order="F" if header.fortran_order else "C")


def _photos(array: np.ndarray[Any, Any]) -> list[Image.Image]:
    photos = array.transpose(0, 2, 3, 1) if array.shape[1] == 3 else array
    return [Image.fromarray(np.ascontiguousarray(photo)) for photo in photos]


def _images(array: np.ndarray[Any, Any]) -> Tensor:
    # Written so that what is not a number is refused too.
    if not (np.abs(array) <= LARGEST).all():
        raise RequestError(400, f"Expected an array of finite numbers, none beyond {LARGEST:g}.")
    images = array.reshape(-1, *array.shape[-3:])
    return torch.from_numpy(np.array(images, dtype=np.float32, order="C"))
