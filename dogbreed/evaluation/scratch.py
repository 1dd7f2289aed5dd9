"""Where the answers of an evaluation lie while it works on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = ".answers"


@contextmanager
def scratch_folder(output_dir: Path) -> Iterator[Path]:
    """A folder that is gone after the block; one that a killed process left is removed first.

    On the file system of the results, which has room: a machine's temporary folder may be small, or memory.
    """
    folder = output_dir / NAME
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
