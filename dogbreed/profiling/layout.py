"""Where the profiler's files lie, as Amazon SageMaker names them."""

from __future__ import annotations

import time
from pathlib import Path

SYSTEM = Path("system") / "incremental"
FRAMEWORK = Path("framework")
TRACES = FRAMEWORK / "pevents"
TRACE_SUFFIX = "pythontimeline.json"
STEPS_FILE = "steps.csv"
OPERATORS_FILE = "operators.json"
FINDINGS_FILE = "rules.json"
RULE_FOLDER = "rule-output"
FILE_SECONDS = 60  # a new file each minute


def hour(seconds: float) -> str:
    """The folder of a time, given in seconds since 1970, in UTC.

    >>> hour(1591160699.46)
    '2020060305'
    """
    return time.strftime("%Y%m%d%H", time.gmtime(seconds))


def system_file(folder: Path, seconds: float, node: str) -> Path:
    """The file of system events that is opened at a time.

    >>> system_file(Path("profiler"), 1591160699.46, "algo-1").as_posix()
    'profiler/system/incremental/2020060305/1591160699.algo-1.json'
    """
    return folder / SYSTEM / hour(seconds) / f"{int(seconds)}.{node}.json"


def trace_file(folder: Path, microseconds: int, writer: str) -> Path:
    """The closed file of step times whose last event ended at a time.

    >>> trace_file(Path("profiler"), 1591160699460000, "7-algo-1").as_posix()
    'profiler/framework/pevents/2020060305/1591160699460000_7-algo-1_pythontimeline.json'
    """
    return folder / TRACES / hour(microseconds / 1e6) / f"{microseconds}_{writer}_{TRACE_SUFFIX}"


def open_trace_file(folder: Path, writer: str) -> Path:
    """The file of step times that is being written; one that is left over is of a process that was killed."""
    return folder / FRAMEWORK / f"{writer}_{TRACE_SUFFIX}.tmp"


def node_name(rank: int) -> str:
    """What a machine is called, by its number among those of the run.

    >>> node_name(0)
    'algo-1'
    """
    return f"algo-{rank + 1}"
