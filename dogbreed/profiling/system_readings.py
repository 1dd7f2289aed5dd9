"""What a machine did beside a run, as it was written down."""

from __future__ import annotations

import json
from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dogbreed.profiling.layout import SYSTEM

Array = NDArray[np.float64]
MOST_SAMPLES = 20_000  # of a longer run, the newest: almost three hours
SAME_MOMENT = 0.02  # seconds: SageMaker's agent reads one figure after the other


@dataclass(frozen=True)
class SystemReadings:
    """The samples of a machine.

    Attributes:
        times: of the samples, in seconds since 1970, shape (samples,).
        series: values by dimension ("CPUUtilization", "GPUUtilization", …) and name ("cpu0", …), each of shape
            (samples,): percent in [0, 100] or bytes a second; NaN where a sample lacks one.
        node: "algo-1" and so on.
        begun: when the first sample of the whole run was taken; None where there was none.
    """

    times: Array
    series: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    node: str = "algo-1"
    begun: float | None = None

    def of(self, dimension: str) -> Mapping[str, Array]:
        """The series of a dimension by name; none where the machine has none."""
        return self.series.get(dimension, {})

    def stacked(self, dimension: str) -> Array:
        """All series of a dimension, shape (series, samples)."""
        return np.array(list(self.of(dimension).values())).reshape(-1, len(self.times))


def read_system(folder: Path) -> list[SystemReadings]:
    """The readings of each machine in a profiler's folder, whether the run has ended or was killed."""
    files: dict[str, list[Path]] = {}
    for path in sorted((folder / SYSTEM).glob("*/*.algo-*.json")):
        files.setdefault(path.name.split(".")[1], []).append(path)
    return [_read_node(node, paths) for node, paths in sorted(files.items())]


def _read_node(node: str, paths: list[Path]) -> SystemReadings:
    columns: dict[tuple[str, str], int] = {}
    rows: deque[array[float]] = deque(maxlen=MOST_SAMPLES)
    begun: float | None = None
    for event in (event for path in paths for event in _events(path)):
        time, value = float(event["Timestamp"]), float(event["Value"])
        column = columns.setdefault((event["Dimension"], event["Name"]), len(columns) + 1)
        begun = time if begun is None else begun
        if not rows or time - rows[-1][0] > SAME_MOMENT:
            rows.append(array("d", [time]))
        row = rows[-1]
        row.extend([np.nan] * (column + 1 - len(row)))
        row[column] = value
    return _readings(node, columns, rows, begun)


def _readings(
    node: str, columns: Mapping[tuple[str, str], int], rows: deque[array[float]], begun: float | None
) -> SystemReadings:
    table = np.full((len(columns) + 1, len(rows)), np.nan)
    for number, row in enumerate(rows):
        table[: len(row), number] = row
    series: dict[str, dict[str, Array]] = {}
    for (dimension, name), column in columns.items():
        series.setdefault(dimension, {})[name] = table[column]
    return SystemReadings(table[0], series, node, begun)


def _events(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                event = json.loads(line)
            # What was being written when the machine stopped.
            except json.JSONDecodeError:
                continue
            if isinstance(event, dict):
                yield event
