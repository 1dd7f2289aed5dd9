"""What has been answered so far, in a file beside the one to come: a command that was interrupted goes on from there.

The first line says of which command the answers are, each other one holds the answer about a photo, in the photos'
order; the last says that all are there. A line that was cut off by a crash is left out, with all that follows it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dogbreed.predicting.answer import Row

FINISHED = {"finished": True}
# Bytes, more than the last line of a finished journal has.
TAIL = 100
NOTHING: tuple[Row, int] = ({}, 0)


@dataclass(frozen=True)
class Kept:
    """How far an interrupted command has come.

    Attributes:
        photos: that are answered, in whole batches: one that is computed anew is then the one it would have been.
        size: of the journal up to there, in bytes.
        changed: whether answers follow that are about other photos than are there now.
    """

    photos: int
    size: int
    changed: bool


@dataclass(frozen=True)
class Journal:
    """A journal at `path`, which need not be there yet."""

    path: Path

    def begin(self, command: Mapping[str, Any]) -> None:
        """Begin anew, with no answers.

        Raises:
            OSError: it cannot be written.
        """
        self.path.write_bytes(_line(command))

    def command(self) -> Mapping[str, Any] | None:
        """That the answers are of; None where there is no journal yet, empty where the file is none.

        Raises:
            OSError: it is there, and cannot be read.
        """
        if not self.path.exists() or b"\n" not in (content := self._first_line()):
            return None
        return _parsed(content) or {}

    def is_finished(self) -> bool:
        """Whether all answers are there.

        Raises:
            OSError: it cannot be read.
        """
        with self.path.open("rb") as file:
            file.seek(-min(TAIL, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read().endswith(b"\n" + _line(FINISHED))

    def kept(self, photos: Iterable[Path | str], batch_size: int) -> Kept:
        """The answers that are about the photos there are, from the first on.

        Raises:
            OSError: it cannot be read.
        """
        lines = self._lines()
        _, size = next(lines, NOTHING)
        answered = 0
        for same, photo in enumerate(photos, 1):
            row, end = next(lines, NOTHING)
            if row.get("file") != str(photo):
                return Kept(answered, size, changed=bool(row))
            if same % batch_size == 0:
                answered, size = same, end
        return Kept(answered, size, changed=next(lines, NOTHING) != NOTHING)

    def add(self, batches: Iterable[Iterable[Row]], *, size: int) -> Iterator[int]:
        """Keep further answers, and then that these are all; how many, after each batch.

        Args:
            batches: of answers.
            size: of the journal in bytes, after which it is cut off.

        Raises:
            OSError: no space, a failing disk; what was kept stays.
        """
        with self.path.open("r+b") as file:
            file.truncate(size)
            file.seek(size)
            for batch in batches:
                lines = [_line(row) for row in batch]
                file.write(b"".join(lines))
                file.flush()
                yield len(lines)
            file.write(_line(FINISHED))
            file.flush()
            os.fsync(file.fileno())

    def rows(self) -> Iterator[Row]:
        """The answers, one after the other.

        Raises:
            OSError: it cannot be read.
        """
        return (row for row, _ in self._lines() if "file" in row)

    def remove(self) -> None:
        """It has served."""
        with suppress(FileNotFoundError):
            self.path.unlink()

    def _first_line(self) -> bytes:
        with self.path.open("rb") as file:
            return file.readline()

    def _lines(self) -> Iterator[tuple[Row, int]]:
        """Each whole line, and the size of the journal up to its end."""
        size = 0
        with self.path.open("rb") as file:
            for content in file:
                row, size = _parsed(content), size + len(content)
                if row is None:
                    return
                yield row, size


def _line(content: Row) -> bytes:
    # In ASCII: a file's name need not be text in any encoding.
    return json.dumps(content).encode() + b"\n"


def _parsed(content: bytes) -> Row | None:
    if not content.endswith(b"\n"):
        return None
    try:
        row = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
