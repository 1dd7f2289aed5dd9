"""What has been answered so far, in a file beside the one to come: a command that was interrupted goes on from there.

The first line says of which command the answers are, each other one holds the answer about a photo, in the photos'
order, and which version of it that was; the last says that all are there. A line that was cut off by a crash, or is
damaged, is left out, with all that follows it.
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
from dogbreed.predicting.stamps import Stamp, stamp

FINISHED = {"finished": True}
NOTHING: tuple[Mapping[str, Any], int] = ({}, 0)


@dataclass(frozen=True)
class Kept:
    """How far an interrupted command has come.

    Attributes:
        photos: that are answered, in whole batches: one that is computed anew is then the one it would have been.
        size: of the journal up to there, in bytes.
        changed: whether answers follow that are about other photos than are there now.
        finished: whether these are all.
    """

    photos: int
    size: int
    changed: bool
    finished: bool = False


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

    def kept(self, photos: Iterable[Path | str], batch_size: int) -> Kept:
        """The answers that are about the photos there are, from the first on.

        Raises:
            OSError: it cannot be read.
        """
        lines = self._lines()
        _, size = next(lines, NOTHING)
        same = answered = 0
        for same, photo in enumerate(photos, 1):
            kept, end = next(lines, NOTHING)
            if not _is_about(photo, kept):
                return Kept(answered, size, changed="answer" in kept)
            if same % batch_size == 0:
                answered, size = same, end
        last, end = next(lines, NOTHING)
        if last == FINISHED and next(lines, NOTHING) == NOTHING:
            return Kept(same, end, changed=False, finished=True)
        return Kept(answered, size, changed="answer" in last)

    def add(self, batches: Iterable[Iterable[tuple[Row, Stamp]]], *, size: int) -> Iterator[int]:
        """Keep further answers, and then that these are all; how many, after each batch.

        Args:
            batches: of answers, each with the `stamp` of its photo before that was read.
            size: of the journal in bytes, after which it is cut off.

        Raises:
            OSError: no space, a failing disk; what was kept stays.
        """
        with self.path.open("r+b") as file:
            file.truncate(size)
            file.seek(size)
            for batch in batches:
                lines = [_line({"answer": row, "stamp": stamp}) for row, stamp in batch]
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
        return (kept["answer"] for kept, _ in self._lines() if "answer" in kept)

    def remove(self) -> None:
        """It has served."""
        with suppress(FileNotFoundError):
            self.path.unlink()

    def _first_line(self) -> bytes:
        with self.path.open("rb") as file:
            return file.readline()

    def _lines(self) -> Iterator[tuple[Mapping[str, Any], int]]:
        """Each whole line, and the size of the journal up to its end."""
        size = 0
        with self.path.open("rb") as file:
            for content in file:
                row, size = _parsed(content), size + len(content)
                if row is None:
                    return
                yield row, size


def _is_about(photo: Path | str, kept: Mapping[str, Any]) -> bool:
    answer = kept.get("answer")
    return isinstance(answer, dict) and answer.get("file") == str(photo) and kept.get("stamp") == stamp(photo)


def _line(content: Mapping[str, Any]) -> bytes:
    # In ASCII: a file's name need not be text in any encoding.
    return json.dumps(content).encode() + b"\n"


def _parsed(content: bytes) -> Mapping[str, Any] | None:
    if not content.endswith(b"\n"):
        return None
    try:
        row = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
