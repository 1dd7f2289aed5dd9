"""What a rule sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FEWEST = 20  # samples


class NotAskedError(Exception):
    """A rule that can say nothing of this run, and why."""


@dataclass(frozen=True)
class Observation:
    """One thing that a rule compared.

    Attributes:
        subject: what it is about: "gpu0", "gpu0 and gpu1", "steps".
        value: what was compared.
        threshold: with what; None where it is compared with nothing.
        violated: whether that is an issue.
        sentence: what was seen, without its full stop.
    """

    subject: str
    value: float
    threshold: float | None
    violated: bool
    sentence: str


@dataclass(frozen=True)
class Seen:
    """All that a rule compared, the most telling first among equals.

    Attributes:
        observations: at least one.
        datapoints: samples or steps that were looked at.
        details: figures that are compared with nothing.
    """

    observations: Sequence[Observation]
    datapoints: int
    details: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def enough(samples: int, patience: float) -> int:
    """The samples, if they are more than the patience that fits the run.

    SageMaker's 1,000 samples are eight minutes: short runs would never be judged. Ours is never more than half of the
    run's samples, and at least `FEWEST` where it is not set lower.

    Raises:
        NotAskedError: too few.

    >>> enough(2001, 1000), enough(100, 1000), enough(21, 1000)
    (2001, 100, 21)
    >>> enough(20, 1000)
    Traceback (most recent call last):
    dogbreed.profiling.rules.seen.NotAskedError: more than 20 samples are needed, there are 20
    """
    needed = int(min(patience, max(FEWEST, samples // 2)))
    if samples <= needed:
        raise NotAskedError(f"more than {needed} samples are needed, there are {samples}")
    return samples


def present(values: Array) -> Array:
    """The values that are there."""
    return values[~np.isnan(values)]


def used(gpus: Mapping[str, Array]) -> dict[str, Array]:
    """The GPUs that did anything at all, without missing samples.

    Raises:
        NotAskedError: there is no GPU.
    """
    if not gpus:
        raise NotAskedError("no GPU was sampled on this machine")
    there = {name: present(values) for name, values in gpus.items()}
    return {name: values for name, values in there.items() if values.any()}
