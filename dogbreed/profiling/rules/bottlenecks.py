"""Rules on what keeps the rest waiting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dogbreed.profiling.readings import Readings
from dogbreed.profiling.rules.seen import NotAskedError, Observation, Seen, enough
from dogbreed.profiling.waiting import waited

Flags = NDArray[np.bool_]


def cpu_bottleneck(
    readings: Readings,
    *,
    threshold: float = 50.0,
    gpu_threshold: float = 10.0,
    cpu_threshold: float = 90.0,
    patience: float = 1000.0,
) -> Seen:
    """A GPU that idles while a core is fully busy.

    Args:
        readings: of the run.
        threshold: in percent of the samples.
        gpu_threshold: in percent: a GPU that is less busy idles.
        cpu_threshold: in percent: a core that is busier is fully busy.
        patience: samples before anything is said; see `enough`.

    Raises:
        NotAskedError: no GPU, or too few samples.
    """
    if not readings.system.of("GPUUtilization"):
        raise NotAskedError("no GPU was sampled on this machine")
    samples = enough(len(readings.system.times), patience)
    at_once = _idle(readings, gpu_threshold) & _above(readings, "CPUUtilization", cpu_threshold)
    return _share(at_once, threshold, samples, "a GPU idles while a core is fully busy")


def io_bottleneck(
    readings: Readings,
    *,
    threshold: float = 50.0,
    gpu_threshold: float = 10.0,
    io_threshold: float = 50.0,
    patience: float = 1000.0,
) -> Seen:
    """A GPU that idles while a core waits for the disk; without a GPU, the loop that waits for photos meanwhile.

    SageMaker's rule sees the GPU only. Here a sample counts as well where the loop waited for photos more than half of
    the time that it stands for.

    Args:
        readings: of the run.
        threshold: in percent of the samples.
        gpu_threshold: in percent: a GPU that is less busy idles.
        io_threshold: in percent: a core that waits more waits for the disk.
        patience: samples before anything is said; see `enough`.

    Raises:
        NotAskedError: the system does not count I/O wait, neither GPU nor steps are known, or too few samples.
    """
    if not readings.system.of("I/OWaitPercentage"):
        raise NotAskedError("this system does not count how long cores wait for the disk")
    if not readings.system.of("GPUUtilization") and not len(readings.steps):
        raise NotAskedError("there is no GPU, and no step was timed")
    samples = enough(len(readings.system.times), patience)
    waiting = waited(readings.system.times, readings.steps) > 0.5
    at_once = (_idle(readings, gpu_threshold) | waiting) & _above(readings, "I/OWaitPercentage", io_threshold)
    return _share(at_once, threshold, samples, "training waits while a core waits for the disk")


def _idle(readings: Readings, threshold: float) -> Flags:
    return np.asarray(np.any(readings.system.stacked("GPUUtilization") < threshold, axis=0))


def _above(readings: Readings, dimension: str, threshold: float) -> Flags:
    return np.asarray(np.any(readings.system.stacked(dimension) > threshold, axis=0))


def _share(at_once: Flags, threshold: float, samples: int, what: str) -> Seen:
    percent = 100.0 * float(np.mean(at_once))
    sentence = f"In {percent:.0f} % of the samples {what}"
    return Seen([Observation("samples", percent, threshold, percent > threshold, sentence)], samples)
