"""Mixup and CutMix: batches whose images and targets are blends of two photos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torchvision.transforms import v2

from dogbreed.errors import ConfigError

Mixing = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

# The alphas are those of torchvision's reference recipe for ImageNet.
MIXINGS: dict[str, Callable[[int], Any]] = {
    "mixup": lambda num_classes: v2.MixUp(alpha=0.2, num_classes=num_classes),
    "cutmix": lambda num_classes: v2.CutMix(alpha=1.0, num_classes=num_classes),
    "both": lambda num_classes: v2.RandomChoice([MIXINGS["mixup"](num_classes), MIXINGS["cutmix"](num_classes)]),
}


def mixing_transform(name: str | None, num_classes: int) -> Mixing | None:
    """What blends a batch of images and class indices into images and class probabilities; None for no mixing.

    Raises:
        ConfigError: an unknown name.
    """
    if name is None:
        return None
    if name not in MIXINGS:
        raise ConfigError(f"Expected data.mixing to be null or one of {', '.join(MIXINGS)}, got {name!r}.")
    mixing: Mixing = MIXINGS[name](num_classes)
    return mixing
