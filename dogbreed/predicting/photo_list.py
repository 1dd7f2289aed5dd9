"""The photos that a command was given, listed as they are needed: never all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dogbreed.data.folder import photo_files
from dogbreed.errors import DataError


@dataclass(frozen=True)
class PhotoList:
    """Photos, and those below folders, in an order that is the same each time while the folders are.

    Attributes:
        paths: of photos and folders.

    Raises:
        DataError: one of them is not there.
    """

    paths: Sequence[Path]

    def __post_init__(self) -> None:
        for path in self.paths:
            if not path.exists():
                raise DataError(f"Expected a photo or a folder of photos, found nothing at {path}.")

    def __iter__(self) -> Iterator[Path]:
        for path in self.paths:
            yield from photo_files(path) if path.is_dir() else (path,)

    def has(self, count: int) -> bool:
        """Whether there are so many photos, or more."""
        return sum(1 for _ in islice(self, count)) == count
