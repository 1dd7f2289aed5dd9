"""What the colours of a confusion matrix stand for: errors in one range, right answers in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dogbreed.reporting.palette import LIGHT

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
# Below one half are errors, above are right answers.
RANGE = [
    [0, LIGHT["error-many"]],
    [0.25, LIGHT["error-some"]],
    [0.4999, LIGHT["error-rare"]],
    [0.5, LIGHT["right-few"]],
    [1, LIGHT["right-many"]],
]


@dataclass(frozen=True)
class Measure:
    """What a colour stands for: a cell's value, how it is written, and the value of the darkest right cell."""

    values: Callable[[Counts], Values]
    written: Callable[[float], str]
    highest: Callable[[Values], float]


def _shares(confusion: Counts) -> Values:
    return np.asarray(confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1))


MEASURES = {
    "share": Measure(_shares, lambda x: f"{100 * x:.0f} %", lambda _: 1.0),
    "count": Measure(lambda c: c.astype(float), lambda x: f"{x:.0f}", lambda values: float(values.diagonal().max())),
}


def colour_places(values: Values, measure: str) -> list[list[float | None]]:
    """Places in [-1, 1]: errors below zero, right answers above; None where nothing happened.

    An error's place is the square root of its value over the largest: one that happened once is seen.

    >>> colour_places(MEASURES["count"].values(np.array([[8, 1], [4, 0]])), "count")
    [[1.0, -0.5], [-1.0, None]]
    """
    wrong, right = _most(values, measure)
    places = np.where(np.eye(len(values), dtype=bool), values / right, -np.sqrt(values / wrong)).round(4)
    return [[place or None for place in row] for row in places.tolist()]


def legend(confusion: Counts, measure: str) -> list[tuple[float, str]]:
    """Values in words and their places in the range of colours, in [0, 1]: the worst error at 0, right answers to 1.

    >>> legend(np.array([[8, 1], [4, 0]]), "count")
    [(0.0, '4'), (0.25, '1'), (0.75, '4'), (1.0, '8')]
    """
    values, written = MEASURES[measure].values(confusion), MEASURES[measure].written
    wrong, right = _most(values, measure)
    few = wrong / 4 if measure == "share" else 1.0
    middle = [(0.5 - 0.5 * (few / wrong) ** 0.5, few)] if wrong > few else []
    return [(place, written(value)) for place, value in [(0.0, wrong), *middle, (0.75, right / 2), (1.0, right)]]


def _most(values: Values, measure: str) -> tuple[float, float]:
    """The largest value of an error, and the value of the darkest right cell."""
    right = np.eye(len(values), dtype=bool)
    return float(np.where(right, 0, values).max()) or 1.0, MEASURES[measure].highest(values) or 1.0
