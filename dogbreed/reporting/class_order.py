"""An order of the classes in which those that are confused with each other stand together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

TOGETHER = 0.03  # of a class's photos


@dataclass(frozen=True)
class ClassOrder:
    """Positions of all classes in a new order, and the groups of two or more that are confused with each other.

    The classes of a group follow one another in the order.
    """

    positions: list[int]
    groups: list[list[int]]


def clustered_order(confusion: npt.NDArray[np.int64]) -> ClassOrder:
    """The order in which a confusion matrix shows blocks along its diagonal.

    Average linkage of 1 - (share of A taken for B + share of B taken for A) / 2, its leaves ordered so that
    neighbours are as alike as can be (Bar-Joseph et al., "Fast optimal leaf ordering for hierarchical clustering",
    Bioinformatics 17, 2001). A group is a branch within which that mean share is `TOGETHER` or more. Classes without
    photos come last.

    Args:
        confusion: counts, shape (classes, classes); rows are targets, columns answers.

    >>> clustered_order(np.array([[8, 0, 2], [0, 9, 0], [3, 0, 7]])).groups
    [[2, 0]]
    """
    support = confusion.sum(axis=1)
    present, absent = np.flatnonzero(support), np.flatnonzero(support == 0)
    if len(present) < 2:
        return ClassOrder([*present.tolist(), *absent.tolist()], [])
    leaves, labels = _clusters(confusion[np.ix_(present, present)] / support[present, None])
    groups = [[place for place, _ in rows] for _, rows in groupby(zip(leaves, labels, strict=True), lambda row: row[1])]
    return ClassOrder(
        [*present[leaves].tolist(), *absent.tolist()],
        [present[group].tolist() for group in groups if len(group) > 1],
    )


def alphabetical_order(class_names: Sequence[str]) -> list[int]:
    """Positions of the classes by name, whatever the case of its letters."""
    return sorted(range(len(class_names)), key=lambda position: (class_names[position].casefold(), position))


def _clusters(shares: npt.NDArray[np.float64]) -> tuple[list[int], list[int]]:
    """The classes in the order of the tree's leaves, and the cluster of each, in the same order."""
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform

    distances = 1 - (shares + shares.T) / 2
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average", optimal_ordering=True)
    leaves = leaves_list(tree)
    return leaves.tolist(), fcluster(tree, 1 - TOGETHER, criterion="distance")[leaves].tolist()
