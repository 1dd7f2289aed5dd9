"""Rules on the steps of training."""

from __future__ import annotations

import numpy as np

from dogbreed.profiling.readings import Readings
from dogbreed.profiling.rules.seen import NotAskedError, Observation, Seen

FEWEST_STEPS = 100
FEWEST_WAITS = 10


def step_outlier(readings: Readings, *, stddev: float = 3.0, mode: str | None = None, n_outliers: float = 10.0) -> Seen:
    """Steps that take much longer than the others.

    Steps that torch's profiler watched are left out.

    Args:
        readings: of the run.
        stddev: a step is an outlier that takes so many standard deviations more than the mean.
        mode: TRAIN, or None for all kinds of steps; only those of training are timed.
        n_outliers: so many may be.

    Raises:
        NotAskedError: `FEWEST_STEPS` steps or fewer, or another mode.
    """
    if mode not in (None, "TRAIN"):
        raise NotAskedError(f"only steps of training are timed, not those of {mode}")
    first = readings.operators.get("first_step", 0)
    watched = (readings.steps.steps >= first) & (readings.steps.steps < first + readings.operators.get("steps", 0))
    seconds = readings.steps.total[~watched]
    if len(seconds) <= FEWEST_STEPS:
        raise NotAskedError(f"more than {FEWEST_STEPS} steps are needed, there are {len(seconds)}")
    limit = float(seconds.mean() + stddev * seconds.std())
    found = int((seconds > limit).sum())
    sentence = f"{found} of {len(seconds)} steps took more than {limit:.3g} s, where half take {np.median(seconds):.3g}"
    return Seen([Observation("steps", found, n_outliers, found > n_outliers, sentence)], len(seconds))


def dataloader(
    readings: Readings,
    *,
    min_threshold: float = 70.0,
    max_threshold: float = 200.0,
    wait_threshold: float = 50.0,
    idle_threshold: float = 10.0,
) -> Seen:
    """Training that waits for photos, or more processes to load them than the cores can bear.

    SageMaker's rule counts processes only. Too few of them are no issue here where training hardly waits.

    Args:
        readings: of the run.
        min_threshold: in percent of the cores: fewer loading processes are too few.
        max_threshold: in percent of the cores: more are too many.
        wait_threshold: ours; in percent of a step: the median of the waiting for photos that is an issue by itself.
        idle_threshold: ours; in percent of a step: below, too few processes do no harm.

    Raises:
        NotAskedError: fewer than `FEWEST_WAITS` steps.
    """
    if len(readings.steps) < FEWEST_WAITS:
        raise NotAskedError(f"{FEWEST_WAITS} steps are needed, there are {len(readings.steps)}")
    waiting = 100.0 * float(np.median(readings.steps.share("data")))
    sentence = f"Half of the steps wait for photos more than {waiting:.0f} % of their time"
    seen = [Observation("waiting", waiting, wait_threshold, waiting > wait_threshold, sentence)]
    cores, workers = len(readings.system.of("CPUUtilization")), readings.steps.workers
    if cores and workers is not None:
        percent = 100.0 * workers / cores
        limit = max_threshold if percent > max_threshold else min_threshold
        violated = percent > max_threshold or (percent < min_threshold and waiting > idle_threshold)
        sentence = f"{workers} processes load photos on {cores} cores: {percent:.0f} %"
        seen.append(Observation("workers", percent, limit, violated, sentence))
    return Seen(seen, len(readings.steps))


def max_initialization_time(readings: Readings, *, threshold: float = 20.0) -> Seen:
    """A run that is long in starting.

    Args:
        readings: of the run.
        threshold: in minutes, from the first sample to the first step.

    Raises:
        NotAskedError: nothing was sampled.
    """
    begun = readings.system.begun
    if begun is None:
        raise NotAskedError("nothing was sampled")
    first = readings.steps.first
    minutes = max(0.0, ((readings.system.times[-1] if first is None else first) - begun) / 60)
    sentence = f"The first step began {minutes:.1f} minutes after the first sample"
    none = f"No step began in {minutes:.1f} minutes"
    observation = Observation("steps", minutes, threshold, minutes > threshold, none if first is None else sentence)
    return Seen([observation], len(readings.system.times))
