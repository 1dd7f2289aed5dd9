"""A number of a run over its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Series:
    """Values at steps.

    Attributes:
        steps: of one mode (training steps, or evaluation steps), rising, from 0.
        values: at each of them: a number, or an array.
        at: where each stands among the steps of all modes; the steps themselves where there is one mode.
    """

    steps: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    at: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.at:
            self.at = list(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return zip(self.steps, self.values, strict=True)

    def append(self, step: int, value: Any, at: int | None = None) -> None:
        """Add what was seen at a later step."""
        self.steps.append(step)
        self.values.append(value)
        self.at.append(step if at is None else at)


Tensors = Mapping[str, Series]  # the series of each tensor, by its name


def stages(series: Series, other: Series) -> list[list[int]]:
    """The positions in `series` between which nothing of `other` was seen: one evaluation's, or one epoch's.

    >>> stages(Series([0, 1, 2], [0, 0, 0], at=[0, 1, 5]), Series([0], [0], at=[3]))
    [[0, 1], [2]]
    """
    groups: dict[int, list[int]] = {}
    before = np.searchsorted(np.asarray(other.at), np.asarray(series.at))
    for position, count in enumerate(before):
        groups.setdefault(int(count), []).append(position)
    return list(groups.values())


def stage_means(series: Series, other: Series) -> Series:
    """The mean of each stage, at its last step."""
    means = Series()
    for positions in stages(series, other):
        last = positions[-1]
        means.append(series.steps[last], float(np.mean([series.values[p] for p in positions])), series.at[last])
    return means


def by_evaluation(train: Series, val: Series) -> tuple[Series, Series]:
    """Mean loss of training before each evaluation, and of that evaluation, both at the last training step before it.

    >>> train, val = by_evaluation(Series([0, 1], [3.0, 1.0], at=[0, 1]), Series([0, 1], [2.0, 4.0], at=[2, 3]))
    >>> train.steps, train.values, val.steps, val.values
    ([1], [2.0], [1], [3.0])
    """
    trained, evaluated = stage_means(train, val), stage_means(val, train)
    pairs = (Series(), Series())
    for number, at in enumerate(evaluated.at):
        before = int(np.searchsorted(np.asarray(trained.at), at)) - 1
        if before >= 0:
            pairs[0].append(trained.steps[before], trained.values[before], trained.at[before])
            pairs[1].append(trained.steps[before], evaluated.values[number], at)
    return pairs


def last_stage(series: Series, other: Series) -> Sequence[int]:
    """The positions of the newest stage."""
    found = stages(series, other)
    return found[-1] if found else []
