"""Trials in the order of a table: complete ones from the best to the worst, then those that were not completed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dogbreed.tuning.trials import Trial

STATES = ("complete", "pruned", "failed")


def best_first(trials: Sequence[Trial], direction: str) -> list[Trial]:
    """The trials, sorted.

    >>> rows = [Trial(n, "complete", value, {}, 1, 1.0) for n, value in enumerate([0.5, None, 0.4])]
    >>> [row.number for row in best_first([Trial(3, "failed", 0.1, {}, 1, 1.0), *rows], "minimize")]
    [2, 0, 1, 3]
    """
    sign = 1 if direction == "minimize" else -1

    def place(row: Trial) -> tuple[int, bool, float, int]:
        has_value = row.value is not None and not math.isnan(row.value)
        return STATES.index(row.state), not has_value, sign * (row.value or 0.0) if has_value else 0.0, row.number

    return sorted(trials, key=place)


def parameter_names(trials: Sequence[Trial]) -> list[str]:
    """Every setting that a trial has, in the order in which they appear."""
    return list(dict.fromkeys(name for row in trials for name in row.settings))
