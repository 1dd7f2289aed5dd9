"""All that a run left in its profiler's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dogbreed.profiling.layout import OPERATORS_FILE
from dogbreed.profiling.step_records import StepRecords, read_steps
from dogbreed.profiling.system_readings import SystemReadings, read_system

NO_STEPS = StepRecords(np.array([], np.int64), np.array([]), np.array([]), {}, {})


@dataclass(frozen=True)
class Readings:
    """One machine and the steps of the run.

    Attributes:
        system: of the machine.
        steps: of the run.
        operators: as `operators.json` has them; empty where there is none.
    """

    system: SystemReadings
    steps: StepRecords = NO_STEPS
    operators: Mapping[str, Any] = field(default_factory=dict)


def read(folder: str | Path) -> list[Readings]:
    """What is in a profiler's folder, a machine each; also while the run goes on, and after it was killed.

    Memory is bounded: of a long run only the newest samples and steps are kept.
    """
    folder = Path(folder)
    steps, operators = read_steps(folder), read_operators(folder)
    machines: Sequence[SystemReadings] = read_system(folder) or [SystemReadings(np.array([]))]
    return [Readings(system, steps, operators) for system in machines]


def read_operators(folder: Path) -> dict[str, Any]:
    """The operators that took most time and memory; empty where none were looked at."""
    path = folder / OPERATORS_FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
