"""How the numbers of a run are written: small ones, seconds, bytes, and at which steps something was seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from dogbreed.reporting.wording import UNDEFINED, number

SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
SPELT_OUT = 6  # steps without a pattern that are all named


def quantity(value: float | None) -> str:
    """A number that may be far from one, or none at all.

    >>> quantity(0.5), quantity(2e-09), quantity(1234.5), quantity(math.nan), quantity(-math.inf)
    ('0.5', '2e-09', '1,234', 'NaN', '-infinite')
    """
    if value is None:
        return UNDEFINED
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}infinite"
    return f"{value:.3g}" if abs(value) < 1000 or abs(value) >= 1e7 else f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """A time, with three digits.

    >>> duration(0.0123), duration(2.5), duration(312), duration(4e-7)
    ('12.3 ms', '2.50 s', '312 s', '0.400 µs')
    """
    if seconds is None or not math.isfinite(seconds):
        return UNDEFINED
    size, unit = next((entry for entry in SECONDS if abs(seconds) >= entry[0]), SECONDS[-1] if seconds else SECONDS[0])
    return f"{number(seconds / size)} {unit}"


def memory(count: float | None) -> str:
    """A number of bytes, in decimal units.

    >>> memory(1_234_000), memory(512), memory(-2_000)
    ('1.23 MB', '512 B', '-2 kB')
    """
    if count is None or not math.isfinite(count):
        return UNDEFINED
    size, unit = next((entry for entry in BYTES if abs(count) >= entry[0]), (1.0, "B"))
    return f"{number(count / size)} {unit}"


def steps(some: Sequence[int]) -> str:
    """Steps in few words: evenly spaced ones by their ends and their distance.

    >>> steps([0, 50, 100, 150]), steps([7]), steps([0, 1, 2]), steps([0, 3, 4])
    ('0 to 150, every 50', '7', '0 to 2', '0, 3, 4')
    """
    distances = {later - earlier for earlier, later in pairwise(some)}
    if len(some) > 2 and len(distances) == 1:
        (distance,) = distances
        return f"{some[0]:,} to {some[-1]:,}" + (f", every {distance:,}" if distance != 1 else "")
    if len(some) > SPELT_OUT:
        return f"{len(some):,} steps from {some[0]:,} to {some[-1]:,}"
    return ", ".join(f"{step:,}" for step in some) or UNDEFINED


def shape(sizes: Sequence[int] | None) -> str:
    """The shape of a tensor.

    >>> shape([64, 3, 7, 7]), shape([]), shape(None)
    ('64 × 3 × 7 × 7', 'a number', '–')
    """  # noqa: RUF002
    if sizes is None:
        return UNDEFINED
    return " × ".join(str(size) for size in sizes) or "a number"  # noqa: RUF001
