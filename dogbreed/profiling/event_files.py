"""Files of system events: a JSON object a line, a new file each minute."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from dogbreed.profiling.gauge import Reading
from dogbreed.profiling.layout import FILE_SECONDS, system_file


def event_line(reading: Reading, node: str, seconds: float) -> str:
    """A reading as SageMaker's agent writes it.

    Args:
        reading: percentages in [0, 100], speeds in bytes a second.
        node: "algo-1" and so on.
        seconds: since 1970.
    """
    event = {
        "Type": reading.type,
        "Name": reading.name,
        "Dimension": reading.dimension,
        "Value": round(reading.value, 2),
        "NodeId": node,
        "Timestamp": seconds,
    }
    return json.dumps(event) + "\n"


class EventFiles:
    """Writes events below `folder`; what was written has left the process when `write` returns."""

    def __init__(self, folder: Path, node: str) -> None:
        self._folder = folder
        self._node = node
        self._file: IO[str] | None = None
        self._minute = -1
        self._begun: float | None = None

    def begin(self, seconds: float) -> None:
        """What is written next is of the time from here on, by which its file is named.

        smdebug shows no step that began before the first file of the machine.
        """
        self._begun = seconds

    def write(self, seconds: float, readings: Iterable[Reading]) -> None:
        """Add what was read at a time, in seconds since 1970.

        Raises:
            OSError: no space, no permission, a failing disk.
        """
        lines = "".join(event_line(reading, self._node, seconds) for reading in readings)
        file = self._current(seconds)
        file.write(lines)
        file.flush()

    def close(self) -> None:
        """Close the file that is open, if one is."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _current(self, seconds: float) -> IO[str]:
        minute = int(seconds // FILE_SECONDS)
        if self._file is None or minute != self._minute:
            self.close()
            path = system_file(self._folder, seconds if self._begun is None else self._begun, self._node)
            self._begun = None
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file, self._minute = path.open("a", encoding="utf-8"), minute
        return self._file
