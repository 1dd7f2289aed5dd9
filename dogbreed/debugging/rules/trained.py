"""Frozen from trained: a tensor that never moves, among others that do, is frozen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dogbreed.debugging.series import Series, Tensors


def once_trained(tensors: Tensors, *, changed: Callable[[Any], bool]) -> tuple[dict[str, Series], str]:
    """Each series from its first change on, and a word on those left out.

    A part may be unfrozen later than the rest. Where nothing changes at all, nothing is taken as frozen: then all that
    should have been trained was not.

    Args:
        tensors: what a recording says beside the one before.
        changed: whether a value of these is a change.
    """
    moving = {name: _first(series, changed) for name, series in tensors.items()}
    if all(first is None for first in moving.values()):
        return dict(tensors), ""
    trained = {
        name: Series(series.steps[first:], series.values[first:], series.at[first:])
        for name, series in tensors.items()
        if (first := moving[name]) is not None
    }
    frozen = len(tensors) - len(trained)
    return trained, f"; {frozen} never do, and are taken as frozen" if frozen else ""


def end_of(series: Series) -> int:
    """How many of the newest recordings say little: a learning rate that ends at zero leaves nothing to change."""
    return len(series) // 5


def _first(series: Series, changed: Callable[[Any], bool]) -> int | None:
    return next((position for position, (_, value) in enumerate(series) if changed(value)), None)
