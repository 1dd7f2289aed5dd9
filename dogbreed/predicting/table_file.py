"""Answers to a file, however many photos there are: begun once, gone on with after an interruption, there whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dogbreed.atomic import atomic_write
from dogbreed.data.lock import locked
from dogbreed.errors import ConfigError
from dogbreed.predicting.answer import Row
from dogbreed.predicting.journal import Journal, Kept
from dogbreed.predicting.stamps import Answering, Photos, stamped
from dogbreed.predicting.tables import Write, writer_of


@dataclass
class Written:
    """What is in a table: rows, and those of photos that could not be read."""

    rows: int = 0
    unreadable: int = 0

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows as they are, counted."""
        for row in rows:
            self.rows += 1
            self.unreadable += "error" in row
            yield row


@dataclass(frozen=True)
class TableFile:
    """A table that is to be at `path`, its format named by the suffix.

    Attributes:
        path: of the table.
        overwrite: whether what is there is replaced, and what another command has begun is thrown away.

    Raises:
        ConfigError: no format has this suffix, its library is missing, or nothing can be written there.
    """

    path: Path
    overwrite: bool = False
    _write: Write = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_write", writer_of(self.path))
        if not self.path.parent.is_dir():
            raise ConfigError(f"Expected the folder of out={self.path} to be there: mkdir -p {self.path.parent}")
        if self.path.is_dir():
            raise ConfigError(f"Expected out to be a file, got the folder {self.path}.")
        if not self.journal.path.exists():
            self._check_free()

    @property
    def journal(self) -> Journal:
        """Of what is answered so far."""
        return Journal(self.path.with_name(f"{self.path.name}.partial"))

    def write(
        self,
        photos: Photos,
        answering: Answering,
        command: Mapping[str, Any],
        *,
        show: Callable[[str], None],
    ) -> Written:
        """Ask about the photos, those aside that are answered already, and write the table.

        Args:
            photos: listed anew whenever they are iterated over.
            answering: asks about photos; batches have `command["batch_size"]` of them.
            command: all that the answers depend on, as JSON holds it. `top_k` is how many breeds a row has.
            show: is told of an earlier beginning.

        Raises:
            ConfigError: something is there that is not to be replaced, another process writes it, or it cannot be
                written; what was answered is kept then.
        """
        with self._errors(), locked(self.journal.path, self._refuse_another):
            self._begin(command)
            answered = self._answered(photos, answering, command["batch_size"], show)
            written = Written()
            with atomic_write(self.path) as file:
                self._write(written.counted(self.journal.rows()), file, command["top_k"])
                self._check_whole(written.rows, answered)
            self.journal.remove()
        return written

    def check(self, command: Mapping[str, Any]) -> None:
        """Whether a command can begin the table, or go on with it.

        Raises:
            ConfigError: what another command has begun is there.
        """
        with self._errors():
            begun = self.journal.command()
        if begun not in (None, command) and not self.overwrite:
            others = ", ".join(name for name in command if (begun or {}).get(name) != command[name])
            raise ConfigError(
                f"{self.journal.path} holds answers of another command (other {others}): that command goes on with "
                "them, overwrite=true begins anew."
            )

    def _begin(self, command: Mapping[str, Any]) -> None:
        """Go on with what this very command has begun, or begin."""
        self.check(command)
        if self.journal.command() != command:
            self._check_free()
            self.journal.begin(command)

    def _answered(self, photos: Photos, answering: Answering, batch_size: int, show: Callable[[str], None]) -> int:
        """Ask about the photos that the journal has no answers to; how many it has then."""
        kept = self.journal.kept(photos, batch_size)
        if kept.finished:
            return kept.photos
        self._check_free()
        total = sum(1 for _ in photos)
        if kept.photos or kept.changed:
            show(_goes_on(self.journal.path, kept, total))
        bar = tqdm(total=total, initial=kept.photos, unit=" photos", disable=None, file=sys.stderr)
        answered, left = kept.photos, stamped(islice(photos, kept.photos, None), answering)
        with bar:
            for count in self.journal.add(left, size=kept.size):
                answered += count
                bar.update(count)
        return answered

    def _check_whole(self, rows: int, answered: int) -> None:
        if rows != answered:
            raise ConfigError(
                f"Expected {answered:,} answers in {self.journal.path}, {rows:,} can be read: it was damaged "
                "meanwhile. The same command asks about the others again."
            )

    def _check_free(self) -> None:
        if self.path.exists() and not self.overwrite:
            raise ConfigError(f"{self.path} is there already: give another out=, or overwrite=true to replace it.")

    def _refuse_another(self) -> None:
        raise ConfigError(f"Another process is writing {self.path}.")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                f"Expected to write {self.path}, but: {error.strerror or error}. What is answered is kept in "
                f"{self.journal.path.name}: make room, or make the folder writable, and the same command goes on."
            ) from error


def _goes_on(path: Path, kept: Kept, total: int) -> str:
    changed = "; the others were about photos that have changed, are not there any more, or no longer in that place"
    return f"{path}: {kept.photos:,} of {total:,} photos are answered already{changed if kept.changed else ''}."
