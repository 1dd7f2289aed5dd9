"""What is read from the machine at a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Reading(NamedTuple):
    """A number, by the type, name and dimension that Amazon SageMaker gives it."""

    type: str
    name: str
    dimension: str
    value: float


# From the time, in seconds on a clock that only goes forward, to what is read then.
Gauge = Callable[[float], Iterable[Reading]]


class PerSecond:
    """The speed at which counters grow.

    >>> speed = PerSecond()
    >>> speed(10.0, [100, 5]), speed(12.0, [300, 5])
    ([], [100.0, 0.0])
    """

    def __init__(self) -> None:
        self._last: tuple[float, list[float]] | None = None

    def __call__(self, now: float, counters: Sequence[float]) -> list[float]:
        """The growth of each counter a second since the last call; nothing at the first."""
        last, self._last = self._last, (now, list(counters))
        if last is None or now <= last[0]:
            return []
        # A counter that began anew has not grown backwards.
        return [max(0.0, (new - old) / (now - last[0])) for old, new in zip(last[1], counters, strict=True)]
