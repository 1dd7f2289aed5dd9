"""The groups of classes that are confused with each other, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ConfusedGroup:
    """Names of classes, and how many photos of one of them were taken for another of them."""

    names: tuple[str, ...]
    errors: int


def confused_groups(
    confusion: npt.NDArray[np.int64], class_names: Sequence[str], groups: Sequence[Sequence[int]]
) -> list[ConfusedGroup]:
    """The groups with the most errors first.

    >>> confused_groups(np.array([[8, 0, 2], [0, 9, 0], [3, 0, 7]]), ["Akita", "Beagle", "Husky"], [[0, 2]])
    [ConfusedGroup(names=('Akita', 'Husky'), errors=5)]
    """
    errors = confusion - np.diag(confusion.diagonal())
    found = [
        ConfusedGroup(tuple(class_names[position] for position in group), int(errors[np.ix_(group, group)].sum()))
        for group in groups
    ]
    return sorted(found, key=lambda group: -group.errors)
