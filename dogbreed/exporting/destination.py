"""Where an export goes: all of it is there in the end, or what was there before."""

from __future__ import annotations

import glob
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dogbreed.atomic import atomic_write


@dataclass(frozen=True)
class Destination:
    """An open file that has yet to take its place, and a path beside it for weights that a format keeps apart."""

    file: IO[bytes]
    weights: Path

    @property
    def partial(self) -> Path:
        """Where the open file lies meanwhile."""
        return Path(self.file.name)


@contextmanager
def export_destination(path: Path) -> Iterator[Destination]:
    """A destination that becomes `path` when the block ends without an error.

    Weights apart have a new name each time, which only the new file knows: the old file and its weights stay a pair
    until the new pair is there, and then the old weights go.

    Raises:
        OSError: no space, no permission; all is then as it was before.
    """
    weights = path.with_name(f"{path.name}.{secrets.token_hex(8)}.data")
    try:
        with atomic_write(path) as file:
            yield Destination(file, weights)
    except BaseException:
        weights.unlink(missing_ok=True)
        raise
    for earlier in path.parent.glob(f"{glob.escape(path.name)}.{'[0-9a-f]' * 16}.data"):
        if earlier != weights:
            earlier.unlink()
