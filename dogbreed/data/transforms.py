"""The one definition of how a photo becomes a tensor, shared by training, evaluation, tuning and serving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode, v2

from dogbreed.errors import ConfigError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


@dataclass(frozen=True)
class Preprocessing:
    """What a backbone's weights expect of a photo: the shorter side resized, the centre cropped, normalised.

    Args:
        resize: length of the shorter side in pixels before the crop; the aspect ratio is kept.
        crop: side of the square that the network sees, in pixels.
        mean: of each channel, of values in [0, 1].
        std: of each channel, of values in [0, 1].
        interpolation: "nearest", "bilinear" or "bicubic", always with antialiasing.
    """

    resize: int = 256
    crop: int = 224
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        if not 1 <= self.crop <= self.resize:
            raise ConfigError(f"Expected an image size of at least 1 pixel, got {self.crop} of {self.resize}.")
        if self.interpolation not in INTERPOLATIONS:
            raise ConfigError(f"Expected interpolation {' or '.join(INTERPOLATIONS)}, got {self.interpolation!r}.")
        if len(self.mean) != 3 or len(self.std) != 3 or not min(self.std) > 0:
            raise ConfigError(f"Expected mean and std above 0 of three channels, got {self.mean} and {self.std}.")

    def at_size(self, crop: int) -> Preprocessing:
        """The same preprocessing for another input size, its share of the shorter side kept."""
        return replace(self, resize=round(crop * self.resize / self.crop), crop=crop)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """The inverse of `to_dict`."""
        arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**arguments)


def evaluation_transform(preprocessing: Preprocessing) -> v2.Compose:
    """A PIL image or a uint8 tensor of shape (3, height, width) to uint8 of shape (3, crop, crop).

    Deterministic: two calls give the same pixels.
    """
    size, interpolation = preprocessing.resize, InterpolationMode(preprocessing.interpolation)
    return v2.Compose([v2.Resize(size, interpolation, antialias=True), v2.CenterCrop(preprocessing.crop), v2.ToImage()])


def smallest_side(transform: Callable[[Any], Any]) -> int | None:
    """How short the decoder may make a JPEG's shorter side for a transform of this module, in pixels.

    Twice what the transform resizes it to, so that antialiasing still has pixels to average. None where all pixels are
    needed: a random crop may be small. Measured on photos of 12 megapixels: four to five times as fast, and the
    transformed pixels 0.2 of 255 off on average; 2.5 at most where the sides are no multiples of the decoder's scale.

    >>> smallest_side(evaluation_transform(Preprocessing(resize=256)))
    512
    """
    first = transform.transforms[0] if isinstance(transform, v2.Compose) else None
    return 2 * first.size[0] if isinstance(first, v2.Resize) else None


# The share of the photo's area that a random crop may keep, and what is done to its colours and shapes.
AUGMENTATIONS: dict[str, Callable[[], tuple[float, list[Callable[[Any], Any]], list[Callable[[Any], Any]]]]] = {
    "light": lambda: (0.7, [], []),
    "standard": lambda: (0.25, [v2.TrivialAugmentWide()], [v2.RandomErasing(p=0.1)]),
    "strong": lambda: (0.08, [v2.RandAugment()], [v2.RandomErasing(p=0.25)]),
}


def training_transform(preprocessing: Preprocessing, augmentation: str) -> v2.Compose:
    """As `evaluation_transform`, with a random crop and flip; draws from torch's global generator.

    Args:
        preprocessing: gives the size and the interpolation, never a random part.
        augmentation: a key of `AUGMENTATIONS`, or "none" for the evaluation transform itself.

    Raises:
        ConfigError: an unknown augmentation.
    """
    if augmentation == "none":
        return evaluation_transform(preprocessing)
    if augmentation not in AUGMENTATIONS:
        known = ", ".join(["none", *AUGMENTATIONS])
        raise ConfigError(f"Expected data.augmentation to be one of {known}, got {augmentation!r}.")
    smallest, before, after = AUGMENTATIONS[augmentation]()
    crop = v2.RandomResizedCrop(
        preprocessing.crop,
        scale=(smallest, 1.0),
        interpolation=InterpolationMode(preprocessing.interpolation),
        antialias=True,
    )
    return v2.Compose([crop, v2.RandomHorizontalFlip(), *before, v2.ToImage(), *after])


def normalise(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Uint8 images of shape (..., 3, height, width) as float32, scaled to [0, 1] and normalised."""
    # Divided, as the presets of torchvision's weights do: its newer transforms multiply by 1 / 255, a last bit apart.
    # In place: what is made here is the largest tensor of a batch, and each one more is memory written anew.
    images = images.to(torch.float32, copy=True).div_(255)
    v2.functional.normalize(images, list(preprocessing.mean), list(preprocessing.std), inplace=True)
    return images
