"""Batches of what a frozen part of a network said of photos, in place of the photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from dogbreed.data.folder import Split

Item = int | tuple[int, int]


class Rows(Protocol):
    """Features by key."""

    def __getitem__(self, key: str) -> Tensor: ...


class FeatureDataset(Dataset["tuple[Tensor, Tensor]"]):
    """A split as float32 features and targets, asked for a whole batch at a time.

    Args:
        split: the photos.
        rows: features by key.
        key: of a photo's features, by its index in the split and the seed of its augmentation, None where none is
            given.
    """

    def __init__(self, split: Split, rows: Rows, key: Callable[[int, int | None], str]) -> None:
        self.split = split
        self.rows = rows
        self.key = key

    def __len__(self) -> int:
        return len(self.split)

    def __getitems__(self, items: Sequence[Item]) -> tuple[Tensor, Tensor]:
        """The features of shape (batch, ...), and the targets of shape (batch,)."""
        places = [(item, None) if isinstance(item, int) else item for item in items]
        features = torch.stack([self.rows[self.key(index, seed)] for index, seed in places]).float()
        return features, torch.tensor([self.split.targets[index] for index, _ in places])


def as_they_are(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """A `collate_fn` for batches that come whole."""
    return batch
