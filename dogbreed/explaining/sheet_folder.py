"""The folder that a command leaves its answer sheets in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain, count
from pathlib import Path

from PIL import Image

from dogbreed.atomic import atomic_write
from dogbreed.errors import ConfigError

# A file's name has at most 255 bytes in most file systems, and while it is written it is longer.
MOST_BYTES = 160


class SheetFolder:
    """PNG files named for their photos: `a.png` for `a.jpg`, `a-2.png` for another `a.jpg` of the same command.

    An earlier command's files are replaced, those in `kept` never.
    """

    def __init__(self, folder: str | Path, kept: Iterable[Path]) -> None:
        """Make the folder.

        Args:
            folder: need not be there.
            kept: files that are not to be written, such as the photos, should they lie in the folder.

        Raises:
            ConfigError: it cannot be made.
        """
        self.folder = Path(folder).expanduser()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._taken = {_key(name) for photo in kept for name in _names_inside(self.folder, photo)}
        except (OSError, RuntimeError) as error:
            raise self._unwritable(error) from error

    def write(self, photo: Path, sheet: Image.Image) -> Path:
        """Write a photo's sheet; its path.

        Raises:
            ConfigError: the folder cannot be written to, or the disk is full.
        """
        path = self.folder / self._free_name(photo)
        try:
            with atomic_write(path) as file:
                sheet.save(file, "PNG")
        except OSError as error:
            raise self._unwritable(error) from error
        return path

    def _free_name(self, photo: Path) -> str:
        stem = os.fsencode(photo.stem)[:MOST_BYTES].decode("utf-8", "ignore")
        names = chain([f"{stem}.png"], (f"{stem}-{number}.png" for number in count(2)))
        name = next(name for name in names if _key(name) not in self._taken)
        self._taken.add(_key(name))
        return name

    def _unwritable(self, error: Exception) -> ConfigError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        return ConfigError(f"Expected explain to be a folder that can be written to, got {self.folder}: {reason}.")


def _key(name: str) -> str:
    """The same for names that are one file where case makes no difference."""
    return name.casefold()


def _names_inside(folder: Path, photo: Path) -> Iterator[str]:
    """The photo's names in the folder: its own, and that of the file that it is a link to."""
    inside = folder.resolve()
    for path in (photo.parent.resolve() / photo.name, photo.resolve()):
        if path.parent == inside:
            yield path.name
