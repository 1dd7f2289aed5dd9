"""Rows of numbers by key, on disk: what one process computed, every other finds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from dogbreed.atomic import write_text
from dogbreed.caching.blocks import Block, Row, map_block, read_block, write_block
from dogbreed.caching.layout import ABOUT_FILE, USED_FILE, block_files, read_about
from dogbreed.data.lock import locked

# Longer than any write of one block takes.
ABANDONED_AFTER = 3600.0  # seconds


class RowStore:
    """Tensors by key in the block files of a folder; a damaged file's rows are missing, never wrong.

    Rows are views on files that are mapped into memory: a store may be larger than memory, forked processes share
    it, and it can be read on while another process removes the folder. A process that is spawned opens the folder
    again. Rows are not to be written to, and are to be cloned where they go to another process by themselves.

    Args:
        folder: made by the first `add`.
        about: what is in it, as JSON can hold it; `what` names it in the listing of the cache.

    >>> from tempfile import mkdtemp
    >>> import torch
    >>> store = RowStore(Path(mkdtemp()) / "squares")
    >>> fill(store, ["2", "3"], lambda keys: [{key: torch.tensor(float(key) ** 2) for key in keys}])
    >>> store["3"]
    tensor(9.)
    """

    def __init__(self, folder: Path, about: Mapping[str, Any] | None = None) -> None:
        self.folder = Path(folder)
        self._about = None if about is None else json.loads(json.dumps(about))
        self._rows: dict[str, Row] = {}
        self._bytes: dict[str, int] = {}
        self._note_use()
        self.refresh()

    def __reduce__(self) -> tuple[type[RowStore], tuple[Path, Any]]:
        return RowStore, (self.folder, self._about)

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __getitem__(self, key: str) -> Tensor:
        return self._rows[key].tensor()

    @property
    def nbytes(self) -> int:
        """The bytes of all values that can be read here."""
        return sum(self._bytes.values())

    def missing(self, keys: Iterable[str]) -> list[str]:
        """The keys that have no row here, in their order, each once."""
        return [key for key in dict.fromkeys(keys) if key not in self._rows]

    def add(self, rows: Mapping[str, Tensor]) -> None:
        """Keep rows, all of one dtype, in one block file: all of them or, where this raises, none.

        Raises:
            OSError: no space, no permission, a failing disk, or another process is clearing the cache.
            ValueError: rows of several dtypes.
        """
        if rows:
            path = write_block(self.folder, rows)
            self._take(path, map_block(path))
            self._note_use()

    def refresh(self) -> None:
        """Find what other processes have added."""
        for path in block_files(self.folder):
            if path.name not in self._bytes and (block := read_block(path)):
                self._take(path, block)

    def _take(self, path: Path, block: Block) -> None:
        self._bytes[path.name] = block.values.nbytes
        self._rows.update(block.rows())

    def _note_use(self) -> None:
        # A cache that can only be read serves as well.
        with suppress(OSError):
            if self.folder.is_dir():
                (self.folder / USED_FILE).touch()
                if self._about is not None and self._about != read_about(self.folder):
                    write_text(self.folder / ABOUT_FILE, json.dumps(self._about, indent=2))


def fill(store: RowStore, keys: Iterable[str], compute: Callable[[list[str]], Iterable[Mapping[str, Tensor]]]) -> None:
    """Compute the rows that are missing and keep them; of processes that want the same, one does and the others wait.

    Where the file system has no locks they do double work, and the rows are right all the same.

    Args:
        store: has a row for every key afterwards that `compute` gives one for.
        keys: of the rows wanted.
        compute: from missing keys to their rows, in parts that are kept as they come: whatever ends the process
            costs the part under way.

    Raises:
        OSError: as `RowStore.add`; the parts before are kept.
    """
    wanted = list(keys)
    if not store.missing(wanted):
        return
    with locked(store.folder):
        store.refresh()
        _remove_abandoned(store.folder)
        if missing := store.missing(wanted):
            for rows in compute(missing):
                store.add(rows)


def _remove_abandoned(folder: Path) -> None:
    """Remove what processes that were killed had half written."""
    for path in folder.glob(".*.partial"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink()
