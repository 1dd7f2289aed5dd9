"""How long steps took, as a run has written it down."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dogbreed.atomic import write_text
from dogbreed.profiling.layout import STEPS_FILE
from dogbreed.profiling.phases import BETWEEN, LOADER, PARTS, STEP
from dogbreed.profiling.trace_events import trace_events

Array = NDArray[np.float64]
MOST_STEPS = 100_000  # of a longer run, the newest
COLUMNS = ("step", "start", *PARTS, "total")


@dataclass(frozen=True)
class StepRecords:
    """The steps of a run; in a run that was resumed, each as it was done last.

    Attributes:
        steps: their numbers, from 0, rising.
        starts: when each asked for its photos, in seconds since 1970.
        total: seconds that each took.
        parts: seconds of "data", "forward", "backward" and "optimizer" in each; 0 where it has no such part.
        between: start and seconds of each "validation" and "checkpoint", shape (n, 2).
        first: when the first step of the whole run began; None where there was none.
        workers: processes that loaded photos; None where that is not known.
    """

    steps: NDArray[np.int64]
    starts: Array
    total: Array
    parts: Mapping[str, Array]
    between: Mapping[str, Array]
    first: float | None = None
    workers: int | None = None

    def __len__(self) -> int:
        return len(self.steps)

    def share(self, part: str) -> Array:
        """What fraction of each step a part takes, in [0, 1]."""
        return self.parts[part] / np.maximum(self.total, 1e-9)


def read_steps(folder: Path) -> StepRecords:
    """The steps in a profiler's folder, whether the run has ended or was killed."""
    numbers = {phase.name: name for name, phase in {**PARTS, **BETWEEN, "total": STEP, "loader": LOADER}.items()}
    rows: deque[dict[str, float]] = deque(maxlen=MOST_STEPS)
    between: dict[str, deque[tuple[float, float]]] = {name: deque(maxlen=MOST_STEPS) for name in BETWEEN}
    first, workers, parts = None, None, dict[str, float]()
    for phase, begun, seconds, args in trace_events(folder):
        name = numbers.get(phase)
        if name in PARTS:
            parts[name] = parts.get(name, 0.0) + seconds
        elif name in BETWEEN:
            between[name].append((begun, seconds))
        elif name == "loader":
            workers = int(args["num_workers"])
        elif name == "total":
            first = begun if first is None else first
            rows.append({"step": float(args["step_num"]), "start": begun, "total": seconds, **parts})
            parts = {}
    return _records(rows, between, first, workers)


def write_steps(folder: Path, records: StepRecords) -> None:
    """`steps.csv`: number, start (seconds since 1970), and the seconds of each part and of the whole.

    Raises:
        OSError: no space, no permission, a failing disk.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    seconds = [records.starts, *records.parts.values(), records.total]
    for step, *row in zip(records.steps, *seconds, strict=True):
        writer.writerow([int(step), *(f"{value:.6f}" for value in row)])
    write_text(folder / STEPS_FILE, text.getvalue())


def _records(
    rows: deque[dict[str, float]],
    between: Mapping[str, deque[tuple[float, float]]],
    first: float | None,
    workers: int | None,
) -> StepRecords:
    # A step that was done again after an interruption counts once.
    last = {row["step"]: row for row in rows}
    kept = [last[step] for step in sorted(last)]
    columns = {name: np.array([row.get(name, 0.0) for row in kept]) for name in COLUMNS}
    return StepRecords(
        columns["step"].astype(np.int64),
        columns["start"],
        columns["total"],
        {name: columns[name] for name in PARTS},
        {name: np.array(spans).reshape(-1, 2) for name, spans in between.items()},
        first,
        workers,
    )
