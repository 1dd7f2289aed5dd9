"""Files that are there whole or not at all, whatever interrupts the writing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the place of `path` when the block ends without an error.

    The temporary file lies in the folder of `path`, because a rename is atomic only within one file system.
    It reaches the disk before the rename, and the rename before the block is left.

    Raises:
        OSError: no space, no permission, a failing disk; `path` is then as it was before (or, where only the
            note of the rename could not be brought to the disk, the new file whole).

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "answer.txt"
    >>> with atomic_write(path) as file:
    ...     _ = file.write(b"42")
    >>> path.read_text()
    '42'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its files are private, and the umask can be read only by changing it for every thread.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        replace_durably(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """A text file in UTF-8 that is there whole or not at all.

    Raises:
        OSError: as `atomic_write`.
    """
    with atomic_write(path) as file:
        file.write(text.encode())


def replace_durably(source: Path, path: Path) -> None:
    """Rename `source` to `path`, on the same file system; the rename has reached the disk on return."""
    source.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
