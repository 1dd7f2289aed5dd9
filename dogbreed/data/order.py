"""In which order an epoch visits the photos, and from which photo on when a run continues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from dogbreed.data.randomness import derived_seed


class EpochOrder(Sampler[tuple[int, int]]):
    """A permutation that is a function of the seed and the epoch, as pairs (index, seed of the photo's transform).

    Args:
        size: how many photos there are.
        seed: of the run.
        rank: of this process, in [0, world_size): it visits every world_size-th photo from there.
        world_size: how many processes share an epoch.
        views: how many seeds a photo has, which then come again; None for a new one in every epoch.
    """

    def __init__(self, size: int, *, seed: int, rank: int = 0, world_size: int = 1, views: int | None = None) -> None:
        self.size, self.seed, self.rank, self.world_size, self.views = size, seed, rank, world_size, views
        self.epoch = 0
        self.start = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer when an epoch begins."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.size // self.world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        generator = torch.Generator().manual_seed(derived_seed(self.seed, "order", self.epoch))
        order = torch.randperm(self.size, generator=generator)[self.rank :: self.world_size][: len(self)]
        start, self.start = self.start, 0
        for index in order[start:].tolist():
            yield index, photo_seed(self.seed, self.epoch % self.views if self.views else self.epoch, index)


def photo_seed(seed: int, view: int, index: int) -> int:
    """The seed of a photo's transform in a run of `seed`."""
    return derived_seed(seed, "photo", view, index)


class ResumableLoader(DataLoader[Any]):
    """A loader that continues an epoch at the batch before which a checkpoint was written.

    Args:
        dataset: takes pairs (index, seed).
        sampler: which photos an epoch visits. Lightning puts one without a seed in its place to overfit a few batches.
        position: how many batches of this epoch the training loop has finished. Only the loop knows: worker
            processes fetch ahead of it.
        kwargs: of `torch.utils.data.DataLoader`.
    """

    def __init__(
        self, dataset: Dataset[Any], *, sampler: EpochOrder, position: Callable[[], int], **kwargs: Any
    ) -> None:
        super().__init__(dataset, sampler=sampler, **kwargs)
        self.order: Sampler[Any] = sampler
        self.position = position

    def state_dict(self) -> dict[str, int]:
        """What the Trainer stores in a checkpoint."""
        return {"epoch": getattr(self.order, "epoch", 0), "batches": self.position()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Begin the next epoch after the batches that a checkpoint has seen."""
        if isinstance(self.order, EpochOrder):
            # Workers fetch ahead before the Trainer says which epoch it is.
            self.order.set_epoch(state["epoch"])
            self.order.start = state["batches"] * (self.batch_size or 1)
