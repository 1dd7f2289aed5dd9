"""How much of the machine was used: figures, no judgement."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dogbreed.profiling.readings import Readings
from dogbreed.profiling.rules.seen import Array, NotAskedError, Observation, Seen, present
from dogbreed.profiling.system_readings import SystemReadings


def _mean(dimension: str) -> Callable[[SystemReadings], Array]:
    return lambda system: np.mean(system.stacked(dimension), axis=0) if system.of(dimension) else np.array([])


def _memory(system: SystemReadings) -> Array:
    return np.asarray(system.of("").get("MemoryUsedPercent", np.array([])))


def _network(system: SystemReadings) -> Array:
    return np.asarray(np.sum(system.stacked("Algorithm"), axis=0)) if system.of("Algorithm") else np.array([])


# Percent, and bytes a second for the network.
RESOURCES: dict[str, Callable[[SystemReadings], Array]] = {
    "CPU": _mean("CPUUtilization"),
    "GPU": _mean("GPUUtilization"),
    "CPU memory": _memory,
    "GPU memory": _mean("GPUMemoryUtilization"),
    "I/O": _mean("I/OWaitPercentage"),
    "Network": _network,
}
STATISTICS: dict[str, Callable[[Array], float]] = {
    "max": lambda values: float(values.max()),
    "p99": lambda values: float(np.percentile(values, 99)),
    "p95": lambda values: float(np.percentile(values, 95)),
    "p50": lambda values: float(np.percentile(values, 50)),
    "min": lambda values: float(values.min()),
}


def statistics(system: SystemReadings) -> dict[str, dict[str, float]]:
    """The statistics of each resource that was sampled; of several cores or GPUs, of their mean."""
    series = {name: present(read(system)) for name, read in RESOURCES.items()}
    return {
        name: {statistic: round(compute(values), 2) for statistic, compute in STATISTICS.items()}
        for name, values in series.items()
        if len(values)
    }


def overall_system_usage(readings: Readings) -> Seen:
    """What was used; never an issue.

    Args:
        readings: of the run.

    Raises:
        NotAskedError: nothing was sampled.
    """
    if not (found := statistics(readings.system)):
        raise NotAskedError("nothing was sampled")
    seen = [Observation(name, figures["p50"], None, False, _sentence(name, figures)) for name, figures in found.items()]
    return Seen(seen, len(readings.system.times), found)


def _sentence(name: str, figures: dict[str, float]) -> str:
    unit = "B/s" if name == "Network" else "%"
    return f"{name} {figures['p50']:,.0f} {unit}, in 95 % of the samples at most {figures['p95']:,.0f} {unit}"
