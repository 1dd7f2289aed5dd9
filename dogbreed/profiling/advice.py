"""Where a run's time goes, in three sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dogbreed.profiling.phases import PARTS
from dogbreed.profiling.readings import Readings
from dogbreed.profiling.rules.seen import Array, present
from dogbreed.profiling.waiting import waited

WORDS = {"data": "waiting for photos", "forward": "the forward pass", "backward": "the backward pass"}
WAITS = 0.5  # of a step: more of it is waiting than is work
BUSY = 70.0  # percent
HALF = 50.0  # percent


@dataclass(frozen=True)
class Facts:
    """What advice depends on.

    Attributes:
        waiting: the median fraction of a step that waits for photos.
        io_wait: percent of the time that the core that waits most for the disk does so while the loop waits too.
        gpu: percent, the median of the busiest GPU; None without one.
        cpu: percent, the median of the mean over the cores.
        workers: processes that load photos; None where that is not known.
        cores: of the machine.
        operator: the operator that takes most time by itself; empty where none was looked at.
    """

    waiting: float
    io_wait: float
    gpu: float | None
    cpu: float
    workers: int | None
    cores: int
    operator: str


# What must hold, what bounds the run then, and what to change.
BOUNDS: tuple[tuple[Callable[[Facts], bool], str, str], ...] = (
    (
        lambda f: f.waiting > WAITS and f.io_wait > HALF,
        "The disk bounds it: cores wait for it {f.io_wait:.0f} % of the time that training waits for photos.",
        "Use data.prepare=true, which keeps the photos small, and a paths.cache_dir on a fast local disk.",
    ),
    (
        lambda f: f.waiting > WAITS and (f.workers or 0) < f.cores and f.cpu < BUSY,
        "Loading photos bounds it, with {f.workers} loading processes and the cores {f.cpu:.0f} % busy.",
        "Use data.num_workers={f.cores}, and data.prepare=true, which decodes each photo once.",
    ),
    (
        lambda f: f.waiting > WAITS,
        "Loading photos bounds it, with {f.workers} loading processes and the cores {f.cpu:.0f} % busy.",
        "Use data.prepare=true, which decodes each photo once, or a lighter data.augmentation.",
    ),
    (
        lambda f: f.gpu is not None and f.gpu >= BUSY,
        "The GPU bounds it, which is {f.gpu:.0f} % busy{f.operator}.",
        "Little is left but computing less: trainer.precision=16-mixed or bf16-mixed, model.frozen=true, or a smaller "
        "model.image_size or model.backbone.",
    ),
    (
        lambda f: f.gpu is not None,
        "Nothing is busy, the GPU {f.gpu:.0f} % and the cores {f.cpu:.0f} %: what bounds it is handing out the work.",
        "Use a larger data.batch_size, and a higher model.learning_rate with it.",
    ),
    (
        lambda f: f.cpu >= HALF,
        "The processor bounds it: its cores are {f.cpu:.0f} % busy{f.operator}.",
        "Use a GPU, model.frozen=true, or a smaller model.image_size or model.backbone.",
    ),
    (
        lambda _: True,
        "Nothing is busy: the cores are {f.cpu:.0f} % busy{f.operator}.",
        "Use a larger data.batch_size, and see that torch may use all cores (OMP_NUM_THREADS).",
    ),
)


def advise(readings: Readings) -> tuple[str, ...]:
    """Three sentences: where a step's time goes, what bounds it, what to change; one where no step was timed.

    Args:
        readings: of the machine that trains.
    """
    if not len(readings.steps):
        return ("No step was timed.",)
    found = facts(readings)
    bound, change = next((bound, change) for holds, bound, change in BOUNDS if holds(found))
    return _where(readings), bound.format(f=found), change.format(f=found)


def facts(readings: Readings) -> Facts:
    """What advice depends on, of a run with steps."""
    system, steps = readings.system, readings.steps
    cores, gpus = system.stacked("CPUUtilization"), system.stacked("GPUUtilization")
    largest = readings.operators.get("by_self_time") or [{}]
    return Facts(
        waiting=float(np.median(steps.share("data"))),
        io_wait=_waiting_for_disk(readings),
        gpu=max((_median(values) for values in gpus), default=None),
        cpu=_median(np.mean(cores, axis=0)) if len(cores) else 0.0,
        workers=steps.workers,
        cores=len(cores),
        operator=f"; most time goes into {largest[0]['name']}" if largest[0] else "",
    )


def _where(readings: Readings) -> str:
    steps = readings.steps
    # Of the sums, so that the parts are a whole.
    shares = {part: float(steps.parts[part].sum() / max(steps.total.sum(), 1e-9)) for part in PARTS}
    shares["rest"] = max(0.0, 1.0 - sum(shares.values()))
    words = ", ".join(f"{100 * share:.0f} % {WORDS.get(part, 'the ' + part)}" for part, share in shares.items())
    return f"Half of the steps take less than {1000 * np.median(steps.total):,.0f} ms; of the time of all, {words}."


def _waiting_for_disk(readings: Readings) -> float:
    io_wait = readings.system.stacked("I/OWaitPercentage")
    waits = waited(readings.system.times, readings.steps) > WAITS
    return max((_mean(values[waits]) for values in io_wait), default=0.0)


def _median(values: Array) -> float:
    there = present(values)
    return float(np.median(there)) if len(there) else 0.0


def _mean(values: Array) -> float:
    there = present(values)
    return float(there.mean()) if len(there) else 0.0
