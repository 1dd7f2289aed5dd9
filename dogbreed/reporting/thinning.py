"""Which points of a long curve are drawn: few enough for a page, and every peak among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SHOWN = 2000  # points of a curve


def kept(values: Sequence[float], most: int = SHOWN) -> list[int]:
    """Positions of at most `most` values: both ends, and of each bucket the lowest, the highest, the first NaN.

    >>> kept([0, 1, 0, 9, 0, 0, -5, 0, 0, 0], most=8)
    [0, 3, 5, 6, 9]
    """
    if len(values) <= most:
        return list(range(len(values)))
    array = np.asarray(values, dtype=float)
    buckets = np.array_split(np.arange(len(array)), max(1, (most - 2) // 3))
    return sorted({0, len(array) - 1, *(place for bucket in buckets for place in _telling(array, bucket))})


def thinned(points: Sequence[tuple[float, float]], most: int = SHOWN) -> list[tuple[float, float]]:
    """At most `most` of the points, as `kept` keeps them by their values."""
    return [points[place] for place in kept([value for _, value in points], most)]


def _telling(
    array: np.ndarray[tuple[int], np.dtype[np.float64]], bucket: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> list[int]:
    finite = np.isfinite(array[bucket])
    numbers, others = bucket[finite], bucket[~finite][:1].tolist()
    if not len(numbers):
        return list(others)
    return [*others, int(numbers[array[numbers].argmin()]), int(numbers[array[numbers].argmax()])]
