"""Files of trace events, as smdebug writes and reads them, which Chrome's and Perfetto's timelines show too."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from dogbreed.profiling.layout import FILE_SECONDS, open_trace_file, trace_file
from dogbreed.profiling.phases import Phase, Span


class TraceFiles:
    """Writes spans below `folder`; what was written has left the process when `write` returns.

    A file is a JSON array, an event a line. It bears a temporary name until it is closed, after a minute, and then that
    of its last event.
    """

    def __init__(self, folder: Path, node: str) -> None:
        self._folder = folder
        self._writer = f"{os.getpid()}-{node}"
        self._file: IO[str] | None = None
        self._begun = self._ended = 0.0
        self._numbers: dict[Phase, int] = {}

    def write(self, spans: Iterable[Span]) -> None:
        """Add spans, which are in the order of their ends.

        Raises:
            OSError: no space, no permission, a failing disk.
        """
        for span in spans:
            file = self._current(span)
            for event in self._events(span):
                file.write(",\n" + json.dumps(event))
            self._ended = max(self._ended, span.ended)
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Complete the file that is open, if one is, and give it its name."""
        if self._file is not None:
            self._file.write("\n]\n")
            self._file.close()
            self._file = None
            path = trace_file(self._folder, round(self._ended * 1e6), self._writer)
            path.parent.mkdir(parents=True, exist_ok=True)
            open_trace_file(self._folder, self._writer).replace(path)

    def _current(self, span: Span) -> IO[str]:
        if self._file is not None and span.ended - self._begun >= FILE_SECONDS:
            self.close()
        if self._file is None:
            path = open_trace_file(self._folder, self._writer)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")
            self._begun, self._ended, self._numbers = span.begun, span.ended, {}
            self._file.write("[\n" + json.dumps(_start(self._begun)))
        return self._file

    def _events(self, span: Span) -> Iterator[dict[str, Any]]:
        if span.phase not in self._numbers:
            # 0 is the file itself.
            self._numbers[span.phase] = len(self._numbers) + 1
            yield _meta("process_name", self._numbers[span.phase], {"name": span.phase.name})
        yield {
            "name": span.phase.event or span.phase.name,
            "pid": self._numbers[span.phase],
            "ph": "X",
            "ts": _microseconds(span.begun) - _microseconds(self._begun),
            "dur": _microseconds(span.ended) - _microseconds(span.begun),
            "args": {"pid": os.getpid(), "step_num": str(span.step), **(span.details or {})},
        }


def _start(seconds: float) -> dict[str, Any]:
    return _meta("process_name", 0, {"start_time_since_epoch_in_micros": _microseconds(seconds)})


def _meta(name: str, number: int, args: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "ph": "M", "pid": number, "args": args}


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)
