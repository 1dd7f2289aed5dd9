"""Which points of tensors stand in the cells of a map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from dogbreed.reporting.debugger_contents import Points

CELLS, COLUMNS = 40_000, 240  # of a map, at most
Cell = tuple[float, float] | None  # (step, value)


def step_buckets(tensors: Mapping[str, Points]) -> list[list[float]]:
    """The steps of all tensors, those of a column together."""
    steps = sorted({step for points in tensors.values() for step, _ in points})
    count = min(len(steps), COLUMNS, max(1, CELLS // max(1, len(tensors))))
    return [bucket.tolist() for bucket in np.array_split(np.asarray(steps), max(1, count)) if len(bucket)]


def row_cells(points: Points, columns: Sequence[Sequence[float]]) -> list[Cell]:
    """The most telling point of each column."""
    ends = np.asarray([bucket[-1] for bucket in columns])
    places = np.searchsorted(ends, [step for step, _ in points]).tolist()
    seen: list[list[tuple[float, float]]] = [[] for _ in columns]
    for place, point in zip(places, points, strict=True):
        seen[place].append(point)
    return [telling(some) if some else None for some in seen]


def telling(points: Points) -> tuple[float, float]:
    """The first that is zero or no number; else the farthest, if a power of ten off; else the middle one.

    >>> telling([(0, 1.0), (1, 1.2), (2, 1.1)]), telling([(0, 1.0), (1, 50.0), (2, 1.1)])
    ((2, 1.1), (1, 50.0))
    """
    for step, value in points:
        if not drawable(value):
            return step, value
    middle = sorted(points, key=lambda point: point[1])[len(points) // 2]
    distance, farthest = max((abs(math.log10(point[1]) - math.log10(middle[1])), point) for point in points)
    return farthest if distance >= 1 else middle


def drawable(value: float) -> bool:
    """Whether a value has a power of ten."""
    return value > 0 and math.isfinite(value)
