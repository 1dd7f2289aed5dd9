"""Whether a larger batch would fit."""

from __future__ import annotations

import numpy as np

from dogbreed.profiling.readings import Readings
from dogbreed.profiling.rules.seen import Array, NotAskedError, Observation, Seen, enough, present, used


def batch_size(
    readings: Readings,
    *,
    cpu_threshold_p95: float = 70.0,
    gpu_threshold_p95: float = 70.0,
    gpu_memory_threshold_p95: float = 70.0,
    patience: float = 1000.0,
    window: float = 500.0,
) -> Seen:
    """Processor, GPU and its memory all have room: a larger batch would use them.

    Args:
        readings: of the run.
        cpu_threshold_p95: in percent: of the 95th percentile of the mean over all cores.
        gpu_threshold_p95: in percent: of the 95th percentile of a GPU's utilisation.
        gpu_memory_threshold_p95: in percent: of the 95th percentile of the share of its memory that is taken.
        patience: samples before anything is said; see `enough`.
        window: so many of the newest samples are looked at.

    Raises:
        NotAskedError: no GPU that is used, or too few samples.
    """
    gpus = used(readings.system.of("GPUUtilization"))
    if not gpus:
        raise NotAskedError("no GPU is used")
    samples = enough(len(readings.system.times), patience)
    memory, newest = readings.system.of("GPUMemoryUtilization"), slice(-int(window), None)
    cores = _percentile(np.mean(readings.system.stacked("CPUUtilization"), axis=0)[newest])
    seen = []
    for name, values in gpus.items():
        busy, taken = _percentile(values[newest]), _percentile(memory.get(name, np.array([]))[newest])
        room = cores < cpu_threshold_p95 and busy < gpu_threshold_p95 and taken < gpu_memory_threshold_p95
        sentence = (
            f"In 95 % of the samples {name} is at most {busy:.0f} % busy with {taken:.0f} % of its memory taken, "
            f"and the processor {cores:.0f} % busy"
        )
        seen.append(Observation(name, busy, gpu_threshold_p95, room, sentence))
    return Seen(seen, samples)


def _percentile(values: Array) -> float:
    # What is not known has no room.
    return float(np.percentile(present(values), 95)) if len(present(values)) else float("inf")
