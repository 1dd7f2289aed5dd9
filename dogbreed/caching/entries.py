"""The row stores of a cache folder, seen from outside: what each takes, when it was used, and its removal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from dogbreed.caching.layout import USED_FILE, block_files, read_about, rows_folder


@dataclass(frozen=True)
class Entry:
    """A row store: its folder, what it says of itself, its bytes on disk, and its last use in seconds since 1970."""

    folder: Path
    about: dict[str, Any]
    bytes: int
    last_used: float

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def row_count(self) -> int:
        """How many rows its files say they have; the files are not checked."""
        return sum(map(_row_count, block_files(self.folder)))


def entries(cache_dir: Path) -> list[Entry]:
    """The row stores of a cache folder, the one that was not used for the longest time first.

    Links are not followed: what they lead to belongs to somebody else.
    """
    return sorted(_entries(rows_folder(cache_dir)), key=lambda entry: (entry.last_used, entry.name))


def remove(entry: Entry) -> int:
    """Remove a row store, as far as the system lets; the bytes freed. Who has it open reads on."""
    shutil.rmtree(entry.folder, ignore_errors=True)
    return entry.bytes - _bytes(entry.folder)


def _entries(folder: Path) -> Iterator[Entry]:
    if not _is_own_folder(folder):
        return
    for path in folder.iterdir():
        # Another process may be removing it.
        with suppress(OSError):
            if _is_own_folder(path):
                yield Entry(path, read_about(path), _bytes(path), _last_used(path))


def _is_own_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size if not path.is_dir() else 0
    return total


def _last_used(folder: Path) -> float:
    marker = folder / USED_FILE
    return (marker if marker.exists() else folder).stat().st_mtime


def _row_count(block: Path) -> int:
    # NumPy's: a listing need not wait for torch.
    with (
        suppress(OSError, SafetensorError, LookupError, TypeError, ValueError),
        safe_open(block, framework="np") as file,
    ):
        return len(json.loads(file.metadata()["keys"]))
    return 0
