"""A photo as the network sees it, and a map of heat laid over it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from dogbreed.data.transforms import Preprocessing, evaluation_transform

# Nine steps of matplotlib's "viridis" (S. van der Walt, N. Smith and E. Firing, CC0): equal steps of heat look equally
# large, the lightness rises throughout, every kind of colour vision can read it, and no coat has its greens.
COLOURS = np.array(
    [
        (68, 1, 84),
        (71, 45, 123),
        (59, 82, 139),
        (44, 114, 142),
        (33, 145, 140),
        (40, 174, 128),
        (94, 201, 98),
        (173, 220, 48),
        (253, 231, 37),
    ]
)
# The share of the colour where the heat is greatest: the rest is the photo.
STRONGEST = 0.7


def cropped(photo: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """What the network sees of an RGB photo: resized and cropped as for evaluation, (crop, crop) pixels."""
    image: Image.Image = v2.functional.to_pil_image(evaluation_transform(preprocessing)(photo))
    return image


def overlay(image: Image.Image, heat: npt.NDArray[Any] | Tensor) -> Image.Image:
    """The image with heat over it in colour, the more of it the hotter: where it is 0 the image stays as it is.

    Args:
        image: RGB.
        heat: shape (height, width), in [0, 1]; scaled to the image's size where it has another.

    >>> overlay(Image.new("RGB", (2, 1), "white"), np.array([[0.0, 1.0]])).getpixel((0, 0))
    (255, 255, 255)
    """
    values = np.asarray(heat.detach().float().cpu() if isinstance(heat, Tensor) else heat, dtype=np.float32)
    scaled = np.asarray(Image.fromarray(values).resize(image.size, Image.Resampling.BILINEAR)).clip(0, 1)
    share = STRONGEST * scaled[..., None]
    blended = (1 - share) * np.asarray(image.convert("RGB"), dtype=np.float32) + share * _coloured(scaled)
    return Image.fromarray(blended.round().astype(np.uint8))


def _coloured(heat: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The colour of each value in [0, 1], shape (..., 3), in [0, 255]."""
    steps = np.linspace(0, 1, len(COLOURS))
    return np.stack([np.interp(heat, steps, channel) for channel in COLOURS.T], axis=-1)
