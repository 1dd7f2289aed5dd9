"""Which photos there are: a folder read as splits, classes and files, before any photo is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dogbreed.errors import DataError

# The folders on disk, in the order in which they are looked for, and what a split is called everywhere else.
SPLIT_FOLDERS = {"train": ("train",), "val": ("valid", "val", "validation"), "test": ("test",)}
SPLITS = tuple(SPLIT_FOLDERS)
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})


@dataclass(frozen=True)
class Split:
    """The photos of one split: `paths[i]` shows class `targets[i]`."""

    paths: tuple[Path, ...]
    targets: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def without(self, skipped: frozenset[Path]) -> Split:
        """The split less some photos."""
        kept = [(p, t) for p, t in zip(self.paths, self.targets, strict=True) if p not in skipped]
        return Split(tuple(p for p, _ in kept), tuple(t for _, t in kept))


@dataclass(frozen=True)
class PhotoFolder:
    """A folder of photos by split; targets are positions in `class_names`, in the order of the folders' names."""

    root: Path
    class_names: tuple[str, ...]
    splits: dict[str, Split]


def class_name(folder: str) -> str:
    """The name of a class from the name of its folder, without the number that public data sets put before it.

    >>> class_name("004.Akita")
    'Akita'
    >>> class_name("n02085936-Maltese_dog")
    'n02085936-Maltese_dog'
    """
    return re.sub(r"^\d+\.(?=.)", "", folder)


def split_folders(root: Path) -> dict[str, Path]:
    """The split folders that `root` has, by the split's name; empty for a single folder of class folders."""
    found = {
        split: next((root / name for name in names if (root / name).is_dir()), None)
        for split, names in SPLIT_FOLDERS.items()
    }
    return {split: folder for split, folder in found.items() if folder is not None}


def class_folders(folder: Path) -> list[Path]:
    """The class folders in `folder`, sorted by name; hidden ones (`.ipynb_checkpoints`) are not classes."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not _is_hidden(p.name))


def photo_files(folder: Path) -> Iterator[Path]:
    """Every file with a photo's suffix below `folder`, sorted, hidden files and folders left out."""
    for parent, names, files in os.walk(folder):
        names[:] = sorted(n for n in names if not _is_hidden(n))
        for name in sorted(files):
            if not _is_hidden(name) and Path(name).suffix.lower() in PHOTO_SUFFIXES:
                yield Path(parent) / name


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX"))


def existing_folder(root: str | Path) -> Path:
    """`root` as a path.

    Raises:
        DataError: there is no such folder.
    """
    path = Path(root).expanduser()
    if not path.is_dir():
        came = "a file" if path.exists() else "nothing"
        raise DataError(f"Expected a folder of photos at {path}, found {came}. Check data.root.")
    return path
