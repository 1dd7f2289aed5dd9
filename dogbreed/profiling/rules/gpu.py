"""Rules on GPUs."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from dogbreed.profiling.readings import Readings
from dogbreed.profiling.rules.seen import Array, NotAskedError, Observation, Seen, enough, used

# Two percent each, 100 included.
BINS = np.linspace(0.0, 100.0, 51)


def low_gpu_utilization(
    readings: Readings,
    *,
    threshold_p95: float = 70.0,
    threshold_p5: float = 10.0,
    window: float = 500.0,
    patience: float = 1000.0,
) -> Seen:
    """A GPU that is hardly ever busy, or busy by fits and starts; one that is never used counts if none is.

    Args:
        readings: of the run.
        threshold_p95: in percent: a GPU is under-used where the 95th percentile of its utilisation is below.
        threshold_p5: in percent: it fluctuates where that is above, but the 5th percentile below this.
        window: so many of the newest samples are looked at.
        patience: samples before anything is said; see `enough`.

    Raises:
        NotAskedError: no GPU, or too few samples.
    """
    gpus = readings.system.of("GPUUtilization")
    busy = used(gpus)
    samples = enough(max(map(len, busy.values()), default=len(readings.system.times)), patience)
    seen = [_utilisation(n, values[-int(window) :], threshold_p95, threshold_p5) for n, values in busy.items()]
    unused = [Observation(n, 0.0, threshold_p95, not busy, f"{n} is not used") for n in gpus if n not in busy]
    return Seen([*seen, *unused], samples)


def _utilisation(name: str, values: Array, threshold_p95: float, threshold_p5: float) -> Observation:
    low, high = (float(value) for value in np.percentile(values, [5, 95]))
    if high > threshold_p95:
        sentence = f"{name} is busy by fits and starts: in 5 % of the samples at most {low:.0f} %"
        steady = f"{name} is busy: in 5 % of the samples at most {low:.0f} %"
        fluctuating = low < threshold_p5
        return Observation(name, low, threshold_p5, fluctuating, sentence if fluctuating else steady)
    return Observation(
        name, high, threshold_p95, high < threshold_p95, f"{name} is at most {high:.0f} % busy in 95 % of the samples"
    )


def gpu_memory_increase(
    readings: Readings, *, increase: float = 5.0, patience: float = 1000.0, window: float = 10.0
) -> Seen:
    """A GPU whose memory fills up.

    Args:
        readings: of the run.
        increase: in percentage points: how much the mean of `window` samples may lie above that of those before.
        patience: samples before anything is said; see `enough`.
        window: samples of a mean.

    Raises:
        NotAskedError: no GPU, or too few samples.
    """
    gpus = used(readings.system.of("GPUMemoryUtilization"))
    samples = enough(max(map(len, gpus.values()), default=0), patience)
    # What is taken while the run starts up is no increase.
    first = int(min(patience, samples // 2))
    return Seen([_growth(name, values, int(window), first, increase) for name, values in gpus.items()], samples)


def _growth(name: str, values: Array, window: int, first: int, increase: float) -> Observation:
    means = np.convolve(values, np.full(window, 1 / window), mode="valid")
    # The mean that begins at a sample, less that of the samples just before it.
    growth = (means[window:] - means[:-window])[max(0, first - window) :]
    most = float(growth.max(initial=0.0))
    sentence = f"The memory of {name} grew by {most:.1f} percentage points within {window} samples"
    return Observation(name, most, increase, most > increase, sentence)


def load_balancing(readings: Readings, *, threshold: float = 0.5, patience: float = 1000.0) -> Seen:
    """GPUs that are not busy alike.

    Args:
        readings: of the run.
        threshold: of the Jensen-Shannon distance (natural logarithm, 0 to 0.83) between how often two GPUs are how
            busy, in steps of two percent.
        patience: samples before anything is said; see `enough`.

    Raises:
        NotAskedError: fewer than two GPUs, or too few samples.
    """
    gpus = readings.system.of("GPUUtilization")
    if len(gpus) < 2:
        raise NotAskedError(f"two GPUs are needed, there are {len(gpus)}")
    samples = enough(len(readings.system.times), patience)
    return Seen([_distance(*pair, gpus[pair[0]], gpus[pair[1]], threshold) for pair in combinations(gpus, 2)], samples)


def _distance(one: str, other: str, values: Array, others: Array, threshold: float) -> Observation:
    from scipy.spatial.distance import jensenshannon

    distance = float(jensenshannon(np.histogram(values, BINS)[0], np.histogram(others, BINS)[0]))
    sentence = f"{one} and {other} are busy to different degrees: distance {distance:.2f}"
    return Observation(f"{one} and {other}", distance, threshold, distance > threshold, sentence)
