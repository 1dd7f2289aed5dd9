"""Reading trace events, of runs that were killed too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dogbreed.profiling.layout import FRAMEWORK, TRACE_SUFFIX, TRACES


class Event(NamedTuple):
    """A phase's name, start in seconds since 1970, seconds, and whatever else stands with it."""

    phase: str
    begun: float
    seconds: float
    args: dict[str, Any]


def trace_events(folder: Path) -> Iterator[Event]:
    """The events of all files, in the order of the files' first; one that a killed process left is not closed."""
    closed, left = (folder / TRACES).glob(f"*/*_{TRACE_SUFFIX}"), (folder / FRAMEWORK).glob(f"*_{TRACE_SUFFIX}.tmp")
    begun = [(first.begun, path) for path in [*closed, *left] if (first := next(_file_events(path), None))]
    for _, path in sorted(begun):
        yield from _file_events(path)


def _file_events(path: Path) -> Iterator[Event]:
    names, start = dict[int, str](), 0.0
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            # The brackets of the array are no events, nor is what was being written when the process was killed.
            if not line.rstrip(",\n").endswith("}") or not isinstance(event := _parsed(line), dict):
                continue
            if event["ph"] == "M":
                names[event["pid"]] = event["args"].get("name", "")
                start = event["args"].get("start_time_since_epoch_in_micros", start)
            else:
                begun, seconds = (start + event["ts"]) / 1e6, event["dur"] / 1e6
                yield Event(names.get(event["pid"], ""), begun, seconds, event["args"])


def _parsed(line: str) -> Any:
    try:
        return json.loads(line.rstrip(",\n"))
    except json.JSONDecodeError:
        return None
