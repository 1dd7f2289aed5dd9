"""Which photos and which classes are worth a look: positions in what was answered, the most notable first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True)
class Notable:
    """Rows of the photos with the highest loss and of those with the lowest highest probability, and the values."""

    top_losses: tuple[tuple[int, float], ...]
    least_certain: tuple[tuple[int, float], ...]


def notable_photos(blocks: Iterable[tuple[Tensor, Tensor]], count: int) -> Notable:
    """The `count` photos of each kind, from logarithms of probabilities and targets that come in blocks."""
    losses, certainty, start = _Highest(count), _Highest(count), 0
    for logs, target in blocks:
        losses.update(torch.nn.functional.nll_loss(logs, target, reduction="none"), start)
        certainty.update(-logs.max(1).values.exp(), start)
        start += len(target)
    return Notable(losses.found(), tuple((row, -value) for row, value in certainty.found()))


class _Highest:
    """The highest values seen so far and where they were; of equal ones the first."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._values, self._rows = torch.empty(0), torch.empty(0, dtype=torch.long)

    def update(self, values: Tensor, start: int) -> None:
        values = torch.cat([self._values, values])
        rows = torch.cat([self._rows, torch.arange(start, start + len(values) - len(self._values))])
        order = values.sort(descending=True, stable=True).indices[: self.count]
        self._values, self._rows = values[order], rows[order]

    def found(self) -> tuple[tuple[int, float], ...]:
        return tuple(zip(self._rows.tolist(), self._values.tolist(), strict=True))


def confused_pairs(confusion: npt.NDArray[np.int64], count: int) -> list[tuple[int, int, int]]:
    """Class, the class it was taken for, and how often: the most frequent first, at most `count`.

    >>> confused_pairs(np.array([[5, 2, 0], [0, 4, 1], [0, 0, 3]]), 2)
    [(0, 1, 2), (1, 2, 1)]
    """
    errors = confusion - np.diag(confusion.diagonal())
    shares = errors / np.maximum(confusion.sum(1, keepdims=True), 1)
    # As often, the larger share of its class comes first.
    order = np.lexsort((-shares.ravel(), -errors.ravel()))[:count]
    pairs = [(int(flat) // len(errors), int(flat) % len(errors)) for flat in order]
    return [(target, answer, int(errors[target, answer])) for target, answer in pairs if errors[target, answer]]
