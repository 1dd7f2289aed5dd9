"""What the profiler's page shows, as plain data: rules, times, the machine's load and operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dogbreed.debugging.finding import Finding

Points = Sequence[tuple[float, float]]  # (seconds since the beginning, percent), seconds rising


@dataclass(frozen=True)
class StepPart:
    """A part of a training step ("data wait", "forward", …): its median in seconds, its share of the time in [0, 1]."""

    name: str
    median: float
    share: float


@dataclass(frozen=True)
class StepTime:
    """A step: its number, when it began in seconds since the beginning, and its seconds."""

    step: int
    at: float
    seconds: float


@dataclass(frozen=True)
class Phase:
    """What the run did ("training", "validation", "checkpoint") from when to when, in seconds since the beginning."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class MachineLoad:
    """How busy the machine was, in percent; GPUs by their names."""

    cpu: Points = ()
    busiest_core: Points = ()
    io_wait: Points = ()
    memory: Points = ()
    gpus: Mapping[str, Points] = field(default_factory=dict)
    gpu_memory: Mapping[str, Points] = field(default_factory=dict)


@dataclass(frozen=True)
class Operator:
    """An operator: calls, seconds within itself, their share of all operators' in [0, 1], bytes it took itself."""

    name: str
    calls: int
    seconds: float | None = None
    share: float | None = None
    size: float | None = None


@dataclass(frozen=True)
class ProfilerContents:
    """Everything on the page. A part that is empty is left out of it, with a word on why where it helps.

    `advice` are the sentences that stand above everything. `step_parts` come in the order of a step. `step_times` maps
    a kind of steps ("training", "validation") to them, in the order of time. `operators` may come in any order: the
    page sorts them. `facts` are rows of the last table (machine, interval, samples). `absences` says why a part is
    missing where the page's own words would be wrong; its keys are those of `profiler_page.SECTIONS`, and an empty
    text says nothing.
    """

    title: str
    advice: Sequence[str] = ()
    rules: Sequence[Finding] = ()
    step_parts: Sequence[StepPart] = ()
    step_times: Mapping[str, Sequence[StepTime]] = field(default_factory=dict)
    load: MachineLoad = field(default_factory=MachineLoad)
    phases: Sequence[Phase] = ()
    operators: Sequence[Operator] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    absences: Mapping[str, str] = field(default_factory=dict)
