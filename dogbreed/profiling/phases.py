"""The parts of a run whose times are taken, by the names that Amazon SageMaker's tools know them by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """A part of the run.

    Attributes:
        name: what smdebug calls the phase, where it has one.
        event: the name of its events; None for the name of the phase.
    """

    name: str
    event: str | None = None


STEP = Phase("Step:ModeKeys.TRAIN")
DATA = Phase("DataLoaderIter", "DataLoaderIter::GetNext")
FORWARD = Phase("Forward")
BACKWARD = Phase("Backward(post-forward)")
OPTIMIZER = Phase("Optimizer")
VALIDATION = Phase("Validation")
CHECKPOINT = Phase("Checkpoint")
LOADER = Phase("DataLoaderIterInitialize")

# The parts of a step, by their columns in `steps.csv`.
PARTS: dict[str, Phase] = {"data": DATA, "forward": FORWARD, "backward": BACKWARD, "optimizer": OPTIMIZER}
# What is no step, by the words used for it.
BETWEEN: dict[str, Phase] = {"validation": VALIDATION, "checkpoint": CHECKPOINT}


@dataclass(frozen=True)
class Span:
    """From when to when a phase took, in seconds since 1970, and at which step of the run (from 0)."""

    phase: Phase
    begun: float
    ended: float
    step: int
    details: dict[str, int | bool] | None = None
