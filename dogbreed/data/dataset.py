"""Photos of one split, opened and transformed when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from dogbreed.data.folder import Split
from dogbreed.data.photos import open_photo
from dogbreed.data.randomness import seeded
from dogbreed.data.transforms import smallest_side


class PhotoDataset(Dataset[tuple[Tensor, int]]):
    """A split as pairs of a uint8 image, shape (3, crop, crop), and its target.

    An item is asked for by its index, or by a pair (index, seed) where the transform is random: the seed decides
    every draw, so that the same pair gives the same pixels in any process.
    """

    def __init__(self, split: Split, transform: Callable[[Any], Tensor]) -> None:
        self.split = split
        self.transform = transform
        self._smallest_side = smallest_side(transform)

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, item: int | tuple[int, int]) -> tuple[Tensor, int]:
        if isinstance(item, int):
            return self._load(item)
        index, seed = item
        with seeded(seed):
            return self._load(index)

    def _load(self, index: int) -> tuple[Tensor, int]:
        # A plain tensor: the image subclass of torchvision would travel through collate with its overhead.
        photo = open_photo(self.split.paths[index], smallest_side=self._smallest_side)
        image = self.transform(photo).as_subclass(Tensor)
        return image, self.split.targets[index]
