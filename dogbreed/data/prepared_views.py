"""What the transforms of photos make of prepared ones."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from dogbreed.data.prepared_rows import PreparedPhoto


class PreparedTransform:
    """A transform of photos, for prepared ones: with the same draws it shows the same part of the photo.

    What `evaluation_transform` gives comes out the same in every pixel of a raw row; a random crop comes out at
    another resolution, its edges rounded to whole pixels of the row.

    Args:
        transform: from `evaluation_transform` or `training_transform`.
    """

    def __init__(self, transform: v2.Compose) -> None:
        first, *rest = transform.transforms
        self._crop = first if isinstance(first, v2.RandomResizedCrop) else None
        self._rest = v2.Compose(rest) if self._crop else transform

    def __call__(self, photo: PreparedPhoto) -> Tensor:
        """Uint8 of shape (3, crop, crop)."""
        pixels = photo.pixels if self._crop is None else _cropped(self._crop, photo)
        image: Tensor = self._rest(pixels)
        return image


def _cropped(crop: v2.RandomResizedCrop, photo: PreparedPhoto) -> Tensor:
    # Where a crop lies is drawn as a whole number of the photo's pixels: in the row's it would lie elsewhere.
    drawn = crop.make_params([torch.empty(3, photo.photo_height, photo.photo_width, device="meta")])
    height, width = photo.pixels.shape[-2:]
    top, rows = _scaled(drawn["top"], drawn["height"], photo.photo_height, height)
    left, columns = _scaled(drawn["left"], drawn["width"], photo.photo_width, width)
    settings: dict[str, Any] = {"interpolation": crop.interpolation, "antialias": crop.antialias}
    image: Tensor = v2.functional.resized_crop(photo.pixels, top, left, rows, columns, crop.size, **settings)
    return image


def _scaled(start: int, length: int, whole: int, scaled: int) -> tuple[int, int]:
    """Where a part of a photo's side starts in a row, and how long it is there: at least a pixel."""
    first = min(round(start * scaled / whole), scaled - 1)
    return first, max(1, round((start + length) * scaled / whole) - first)
