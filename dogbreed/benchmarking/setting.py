"""What is measured: photos of a folder, a network, a device."""

from __future__ import annotations

import os
from dataclasses import dataclass
from statistics import median

import torch
from PIL import Image
from torch import Tensor

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.folder import Split
from dogbreed.models.classifier import BreedClassifier

MOST_PHOTOS = 256


@dataclass(frozen=True)
class Setting:
    """What is measured.

    Attributes:
        data: the folder, checked.
        module: with a frozen backbone.
        device: that computes.
        seconds: for each measurement.
    """

    data: DogBreedDataModule
    module: BreedClassifier
    device: torch.device
    seconds: float

    @property
    def photos(self) -> Split:
        """Training photos, evenly from the whole split."""
        return spread(self.data.folder.splits["train"], MOST_PHOTOS)

    def images(self, count: int) -> Tensor:
        """As normalised images are: what they show makes no network slower."""
        size = self.module.preprocessing.crop
        return torch.randn(count, 3, size, size).to(self.device)

    @property
    def targets(self) -> Tensor:
        """Of a batch."""
        return torch.randint(self.data.num_classes, (self.data.batch_size,)).to(self.device)


def spread(split: Split, most: int) -> Split:
    """At most so many photos of a split, at even distances.

    >>> from pathlib import Path
    >>> spread(Split((Path("a"), Path("b"), Path("c"), Path("d")), (0, 0, 1, 1)), 2).targets
    (0, 1)
    """
    chosen = range(0, len(split), -(-len(split) // most))
    return Split(tuple(split.paths[i] for i in chosen), tuple(split.targets[i] for i in chosen))


def shorter_side(photos: Split) -> int:
    """The median of the photos' shorter sides, in pixels."""
    sides = []
    for path in photos.paths:
        with Image.open(path) as photo:
            sides.append(min(photo.size))
    return round(median(sides))


def usable_cores() -> int:
    """How many cores this process may use."""
    # macOS does not tell.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
