"""What was measured, in words: the table, the times of runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from dogbreed.benchmarking.run_time import EPOCHS
from dogbreed.benchmarking.stage import FLOOR, LATENCY, OURS, PUBLIC, Stage, percentile

HEAD = ("stage", "ours", "floor", "of the floor", "public method", "times as fast")
MISSING = "-"


def figure(value: float) -> str:
    """A speed or a time with three digits that count.

    >>> figure(1234.5), figure(56.78), figure(1.234), figure(0.01234), figure(float("nan"))
    ('1,234', '56.8', '1.23', '0.0123', '-')
    """
    if not math.isfinite(value):
        return MISSING
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def times(value: float) -> str:
    """How many times as fast, in a word.

    >>> times(2.345), times(1234.5)
    ('2.3x', '1,234x')
    """
    return MISSING if not math.isfinite(value) else f"{value:,.{0 if value >= 10 else 1}f}x"


def share(value: float) -> str:
    """Of the floor, in percent; below ten with a digit more.

    >>> share(0.4567), share(0.0123), share(0.0000123)
    ('46 %', '1.2 %', '0.001 %')
    """
    if not math.isfinite(value):
        return MISSING
    return (
        f"{value:.0%}".replace("%", " %") if value >= 0.1 else f"{100 * value:.2g} %" if value >= 1e-4 else _tiny(value)
    )


def _tiny(value: float) -> str:
    return f"{100 * value:.3f} %" if value >= 5e-6 else "0 %"


def table(stages: Sequence[Stage]) -> list[str]:
    """A line for each stage below the heading."""
    rows = [HEAD, *(_row(stage) for stage in stages)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *_right(row[1:], widths[1:])]) for row in rows]


def _right(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]


def _row(stage: Stage) -> tuple[str, ...]:
    measured = (f"{figure(stage.median(side))} {stage.unit}" for side in (OURS, FLOOR, PUBLIC))
    ours, floor, public = measured
    ratios = share(stage.times_as_fast(OURS, FLOOR)), times(stage.times_as_fast(OURS, PUBLIC))
    return stage.name, ours, floor, ratios[0], public, ratios[1]


def latency_lines(stages: Sequence[Stage]) -> Iterator[str]:
    """Half and nearly all of the answers of each stage that has latencies."""
    for stage in stages:
        if stage.unit == LATENCY:
            shares = ", ".join(
                f"{side} {figure(stage.median(side))} and {figure(percentile(stage.samples[side], 0.99))} ms"
                for side in (OURS, PUBLIC)
                if stage.samples[side]
            )
            yield f"{stage.name}, half and 99 % of the answers within: {shares}."


def run_time_lines(seconds: Mapping[str, float], photos: int) -> list[str]:
    """How long runs would take."""
    width = max(map(len, seconds))
    head = f"Training {EPOCHS} epochs on {photos:,} photos would take about (start, judgement and report come on top):"
    return [head, *(f"  {kind:{width}}  {duration(taken)}" for kind, taken in seconds.items())]


def duration(seconds: float) -> str:
    """A time span.

    >>> duration(0.4), duration(3.21), duration(125), duration(90000)
    ('under 1 s', '3 s', '2:05 min', '25:00 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"
    whole = round(seconds) if seconds < 3600 else round(seconds / 60)
    return f"{whole // 60}:{whole % 60:02} {'min' if seconds < 3600 else 'h'}"
