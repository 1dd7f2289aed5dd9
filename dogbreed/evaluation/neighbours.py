"""The photos nearest to each by the cosine of their features, from blocks of the matrix product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Features = npt.NDArray[np.floating]

BLOCK = 2048  # photos: the products of as many with as many are in memory


class Neighbours:
    """Positions of the nearest of each photo, and their cosines; both of shape (photos, count), the nearest first.

    Where there are fewer than `count`, the cosine is minus infinity.
    """

    def __init__(self, photos: int, count: int) -> None:
        self.cosines = torch.full((photos, count), -torch.inf)
        self.positions = torch.zeros((photos, count), dtype=torch.long)

    def update(self, rows: slice, columns: slice, cosines: Tensor) -> None:
        """Take up the cosines between the photos at `rows` and those at `columns`."""
        count = self.cosines.shape[1]
        nearest = cosines.topk(min(count, cosines.shape[1]), dim=1)
        values = torch.cat([self.cosines[rows], nearest.values], dim=1)
        positions = torch.cat([self.positions[rows], nearest.indices + columns.start], dim=1)
        self.cosines[rows], order = values.topk(count, dim=1)
        self.positions[rows] = positions.gather(1, order)


@dataclass(frozen=True)
class _Block:
    """Consecutive photos: their place among all of them, and the rows of their features in one part."""

    place: slice
    features: Features
    rows: slice

    def load(self) -> Tensor:
        """Features of length 1."""
        return torch.nn.functional.normalize(torch.from_numpy(np.array(self.features[self.rows], dtype=np.float32)))


def nearest(
    features: Sequence[Features],
    mirrored: Sequence[Features | None] | None = None,
    *,
    count: int,
    left_out: npt.NDArray[np.bool_],
) -> Neighbours:
    """The `count` nearest of each photo among all others, or of the mirror image of each where `mirrored` is given.

    Args:
        features: those of all photos in parts, of shape (photos of the part, width).
        mirrored: those of the mirror images, parts of the same shapes; None for a part whose photos have none.
        count: how many, at least 1.
        left_out: shape (photos,), those that are near to none.
    """
    starts = np.cumsum([0, *map(len, features)]).tolist()
    columns = list(_blocks(features, starts))
    rows = columns if mirrored is None else list(_blocks(mirrored, starts))
    absent, found = torch.from_numpy(left_out), Neighbours(starts[-1], count)
    for first in rows:
        loaded = first.load()
        for second in columns:
            # The cosine of one photo with another is that of the other with the one.
            if mirrored is None and second.place.start < first.place.start:
                continue
            cosines = loaded @ second.load().T
            cosines[absent[first.place]] = -torch.inf
            cosines[:, absent[second.place]] = -torch.inf
            if first.place == second.place:
                cosines.fill_diagonal_(-torch.inf)
            found.update(first.place, second.place, cosines)
            if mirrored is None and first.place != second.place:
                found.update(second.place, first.place, cosines.T)
    return found


def _blocks(parts: Sequence[Features | None], starts: Sequence[int]) -> Iterator[_Block]:
    for part, offset in zip(parts, starts, strict=False):
        if part is None:
            continue
        for start in range(0, len(part), BLOCK):
            rows = slice(start, min(start + BLOCK, len(part)))
            yield _Block(slice(offset + rows.start, offset + rows.stop), part, rows)
