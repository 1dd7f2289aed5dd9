"""One stage of the work as it was measured: ours, the floor, and the public method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

OURS, FLOOR, PUBLIC = "ours", "floor", "public method"
RATE, LATENCY = "images/s", "ms"


@dataclass(frozen=True)
class Stage:
    """What was measured of one stage.

    Attributes:
        name: of the stage.
        unit: `RATE`, more is better, or `LATENCY`, less is better.
        samples: by side, all of them in `unit`; a side that could not be measured has none.
        floor: what the floor is made of, in words.
    """

    name: str
    unit: str
    samples: Mapping[str, Sequence[float]]
    floor: str

    def median(self, side: str) -> float:
        """Of a side, in `unit`; not a number where it was not measured."""
        return median(self.samples[side]) if self.samples.get(side) else math.nan

    def times_as_fast(self, side: str, other: str) -> float:
        """How many times as fast as another a side is.

        >>> Stage("serving", LATENCY, {"ours": [20.0], "floor": [5.0]}, "").times_as_fast("ours", "floor")
        0.25
        """
        ratio = self.median(side) / self.median(other)
        return 1 / ratio if self.unit == LATENCY else ratio

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it, which has no infinite numbers and none that are not numbers."""
        return {
            "name": self.name,
            "unit": self.unit,
            "floor": self.floor,
            "share_of_floor": finite(self.times_as_fast(OURS, FLOOR)),
            "times_as_fast_as_public_method": finite(self.times_as_fast(OURS, PUBLIC)),
            "sides": {side: _summary(samples) for side, samples in self.samples.items() if samples},
        }


def finite(value: float) -> float | None:
    """A number, or None where it is none."""
    return value if math.isfinite(value) else None


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least a share of all samples do not exceed.

    >>> percentile([3.0, 1.0, 2.0], 0.5), percentile([3.0, 1.0, 2.0], 0.99)
    (2.0, 3.0)
    """
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


def _summary(samples: Sequence[float]) -> dict[str, Any]:
    return {
        "median": median(samples),
        "min": min(samples),
        "max": max(samples),
        "p99": percentile(samples, 0.99),
        "samples": list(samples),
    }
