"""A logarithmic axis from one power of ten to another."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from dogbreed.reporting.figure_style import axis

TICKS = 7


def decades(values: Iterable[float]) -> tuple[int, int]:
    """The powers of ten around the values that are positive numbers.

    >>> decades([0.002, 0.4, 0.0]), decades([])
    ((-3, 0), (0, 1))
    """
    places = [math.log10(value) for value in values if value > 0 and math.isfinite(value)]
    if not places:
        return 0, 1
    low = math.floor(min(places))
    return low, max(math.ceil(max(places)), low + 1)


def log_axis(values: Iterable[float], title: str = "", **changes: Any) -> dict[str, Any]:
    """An axis around the values, with not too many powers of ten."""
    low, high = decades(values)
    tick = math.ceil((high - low) / TICKS)
    return axis(title, type="log", range=[low, high], dtick=tick, exponentformat="power", **changes)
