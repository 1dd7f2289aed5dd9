"""A photo of any mode as 8-bit RGB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

STRIP_PIXELS = 2**20
# What white may be in the modes that have more than 8 bits a pixel: the first that the photo does not exceed.
WHITES = {"I": (255.0, 65535.0, 2.0**31), "F": (1.0, 255.0, 65535.0, 2.0**31)}


def as_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB: transparency over white, and what has more bits scaled by what white is in it."""
    if image.mode in WHITES or image.mode.startswith("I;16"):
        return _eight_bit(image)
    return _over_white(image) if image.has_transparency_data else image.convert("RGB")


# In strips: three more copies of a photo as large as is allowed would be a gigabyte.
def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _over_white(image: Image.Image) -> Image.Image:
    whole = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        layer = strip.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        whole.paste(Image.alpha_composite(white, layer).convert("RGB"), (0, top))
    return whole


def _eight_bit(image: Image.Image) -> Image.Image:
    whole = Image.new("RGB", image.size)
    brightest = max(float(_numbers(strip).max()) for _, strip in _strips(image))
    white = next((w for w in WHITES.get(image.mode, (65535.0,)) if brightest <= w), brightest)
    for top, strip in _strips(image):
        values = np.clip(_numbers(strip) * (255.0 / white) + 0.5, 0, 255).astype(np.uint8)
        whole.paste(Image.fromarray(values).convert("RGB"), (0, top))
    return whole


def _numbers(image: Image.Image) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
