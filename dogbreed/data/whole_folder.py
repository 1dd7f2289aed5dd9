"""A folder that is there with all its files or not at all, whatever interrupts the writing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dogbreed.atomic import replace_durably
from dogbreed.errors import DataError


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder `.<folder>.unpacking` that takes the place of `folder` when the block ends without an error.

    What a killed call left there is removed by the next. Two calls for one folder at once are the caller's to prevent.

    Raises:
        DataError: `folder` is in use.
        OSError: it cannot be written; nothing is left behind.

    >>> from tempfile import mkdtemp
    >>> with whole_folder(Path(mkdtemp()) / "dogs") as new:
    ...     (new / "1.jpg").touch()
    """
    check_unused(folder)
    temporary = folder.with_name(f".{folder.name}.unpacking")
    _remove(temporary)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        os.sync()  # one call for all files: one fsync each took 26 s for 8000 photos, this 1 s
        replace_durably(temporary, folder)
    except BaseException:
        _remove(temporary)
        raise


def check_unused(folder: Path) -> None:
    """There is nothing at `folder`, or an empty folder.

    Raises:
        DataError: there is something else.
    """
    if (folder.is_symlink() or folder.exists()) and (
        folder.is_symlink() or not folder.is_dir() or any(folder.iterdir())
    ):
        raise DataError(f"Expected nothing at {folder}, found something. Remove it or choose another folder.")


def _remove(temporary: Path) -> None:
    if temporary.is_dir() and not temporary.is_symlink():
        shutil.rmtree(temporary)
    else:
        temporary.unlink(missing_ok=True)
