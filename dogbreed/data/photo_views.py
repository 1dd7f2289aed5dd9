"""The ways in which a network sees a photo: as evaluation does, its mirror image, or augmented by a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms import v2

from dogbreed.data.folder import Split
from dogbreed.data.photos import open_photo
from dogbreed.data.randomness import seeded
from dogbreed.data.transforms import Preprocessing, evaluation_transform, smallest_side, training_transform
from dogbreed.errors import DataError

PLAIN = "plain"
MIRRORED = "mirrored"


class PhotoView(NamedTuple):
    """One photo seen in one way; `key` is the same wherever the same pixels are seen, whatever the file is called.

    `content` is the SHA-256 of the file; `view` is "plain", "mirrored", or "AUGMENTATION/SEED".
    """

    path: Path
    content: str
    view: str

    @property
    def key(self) -> str:
        """Of what is computed from the pixels."""
        return f"{self.content}/{self.view}"


def augmented(augmentation: str, seed: int) -> str:
    """The view of a photo that `training_transform` makes where it draws from `seed`.

    >>> augmented("light", 7), augmented("none", 7)
    ('light/7', 'plain')
    """
    return PLAIN if augmentation == "none" else f"{augmentation}/{seed}"


def photo_views(split: Split, contents: Mapping[Path, str], view: str = PLAIN) -> list[PhotoView]:
    """Every photo of a split in one view."""
    return [PhotoView(path, contents[path], view) for path in split.paths]


class ViewDataset(Dataset["tuple[int, Tensor | str]"]):
    """Pairs of a position and the uint8 image there, shape (3, crop, crop), or what is wrong with the photo."""

    def __init__(self, views: Sequence[PhotoView], preprocessing: Preprocessing) -> None:
        self.views = views
        self.preprocessing = preprocessing
        plain = evaluation_transform(preprocessing)
        self._transforms: dict[str, Callable[[Any], Tensor]] = {
            PLAIN: plain,
            MIRRORED: v2.Compose([*plain.transforms, lambda image: image.flip(-1)]),
        }

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, position: int) -> tuple[int, Tensor | str]:
        path, _, view = self.views[position]
        way, _, seed = view.partition("/")
        if way not in self._transforms:
            self._transforms[way] = training_transform(self.preprocessing, way)
        try:
            photo = open_photo(path, smallest_side=smallest_side(self._transforms[way]))
        except DataError as error:
            return position, str(error)
        with seeded(int(seed)) if seed else nullcontext():
            return position, self._transforms[way](photo).as_subclass(Tensor)


def collated(items: list[tuple[int, Tensor | str]]) -> tuple[list[int], Tensor, dict[int, str]]:
    """The positions and images of a batch of `ViewDataset`, and what is wrong with the photos that are not in it."""
    read = [(position, image) for position, image in items if isinstance(image, Tensor)]
    faults = {position: message for position, message in items if isinstance(message, str)}
    images = torch.stack([image for _, image in read]) if read else torch.empty(0)
    return [position for position, _ in read], images, faults
