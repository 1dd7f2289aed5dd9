"""Readings as they would be of machines that are not here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dogbreed.profiling.phases import PARTS
from dogbreed.profiling.readings import Readings
from dogbreed.profiling.step_records import StepRecords
from dogbreed.profiling.system_readings import SystemReadings

BEGUN = 1_700_000_000.0
INTERVAL = 0.5
NAMES = {
    "gpu": "GPUUtilization",
    "memory": "GPUMemoryUtilization",
    "cpu": "CPUUtilization",
    "io": "I/OWaitPercentage",
}


def system(samples: int = 200, **figures: Any) -> SystemReadings:
    """A machine, from `gpu`, `memory`, `cpu` and `io`: for each core or GPU a number, or a series."""
    times = BEGUN + INTERVAL * np.arange(1, samples + 1)
    series = {
        NAMES[kind]: {
            f"{'gpu' if kind in ('gpu', 'memory') else 'cpu'}{index}": np.broadcast_to(
                np.asarray(figure, np.float64), samples
            )
            for index, figure in enumerate(given)
        }
        for kind, given in figures.items()
    }
    return SystemReadings(times, series, begun=float(times[0]) if samples else None)


def steps(seconds: Any, *, data: float = 0.0, begun: float = BEGUN, workers: int | None = None) -> StepRecords:
    """Steps one after the other that each take `seconds`, of which the fraction `data` is waiting for it."""
    total = np.asarray(seconds, np.float64)
    starts = begun + np.cumsum(total) - total
    parts: Mapping[str, Any] = {part: np.zeros(len(total)) for part in PARTS} | {"data": data * total}
    first = float(starts[0]) if len(starts) else None
    return StepRecords(np.arange(len(total)), starts, total, parts, {}, first, workers)


def readings(samples: int = 200, timed: StepRecords | None = None, **figures: Any) -> Readings:
    """A machine and its steps."""
    return Readings(system(samples, **figures), timed or steps([]))
