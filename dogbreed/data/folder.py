"""Which photos there are: a folder read as splits, classes and files, before any photo is opened."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dogbreed.errors import DataError

# The folders on disk, in the order in which they are looked for, and what a split is called everywhere else.
SPLIT_FOLDERS = {"train": ("train",), "val": ("valid", "val", "validation"), "test": ("test",)}
SPLITS = tuple(SPLIT_FOLDERS)
WHOLE = "whole folder"
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


@dataclass(frozen=True)
class Listing:
    """What lies below a folder of photos: `photos[split][class folder]`, and what is there beside the photos.

    A single folder of class folders has one split, called `WHOLE`.
    """

    root: Path
    folders: dict[str, Path]
    photos: dict[str, dict[str, tuple[Path, ...]]]
    other_files: tuple[Path, ...]
    classless_photos: tuple[Path, ...]
    ignored_folders: tuple[Path, ...]

    @property
    def training_classes(self) -> dict[str, tuple[Path, ...]]:
        """The class folders to train on: of the training folder, or of the single folder."""
        return self.photos.get("train") or self.photos.get(WHOLE) or {}

    def rows(self) -> Iterator[tuple[str, str, Path]]:
        """Every photo with its split and its class folder."""
        for split, folders in self.photos.items():
            for folder, paths in folders.items():
                yield from ((split, folder, path) for path in paths)

    def name(self, path: Path) -> str:
        """The path from the root, in one line: letters that cannot be printed are escaped."""
        name = path.relative_to(self.root).as_posix()
        return name if name.isprintable() else ascii(name)[1:-1]


def list_folder(root: Path) -> Listing:
    """Walk through a folder of photos once, opening nothing.

    Raises:
        OSError: a folder that may not be read.
    """
    folders = split_folders(root) or {WHOLE: root}
    classes = {split: class_folders(folder) for split, folder in folders.items()}
    files = {folder: list(_files(folder)) for found in classes.values() for folder in found}
    photos = {folder: tuple(filter(is_photo, found)) for folder, found in files.items()}
    return Listing(
        root=root,
        folders=folders,
        photos={split: {f.name: photos[f] for f in found} for split, found in classes.items()},
        other_files=tuple(path for found in files.values() for path in found if not is_photo(path)),
        classless_photos=tuple(
            p for folder in dict.fromkeys([root, *folders.values()]) for p in _direct_photos(folder)
        ),
        ignored_folders=tuple(_ignored_folders(root, folders)),
    )


def class_names(folders: Iterable[str]) -> dict[str, str]:
    """Give every class folder its class's name, or the folder's where two folders would get the same name.

    >>> class_names(["001.Akita", "002.Beagle", "003.Akita"])
    {'001.Akita': '001.Akita', '002.Beagle': 'Beagle', '003.Akita': '003.Akita'}
    """
    names = {folder: class_name(folder) for folder in sorted(folders)}
    times = Counter(names.values())
    return {folder: name if times[name] == 1 else folder for folder, name in names.items()}


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
    """Every file with a photo's suffix below `folder`, sorted, hidden files and folders left out.

    Raises:
        DataError: a folder cannot be read.
    """
    return filter(is_photo, _files(folder, _unreadable))


def is_photo(path: Path) -> bool:
    """Whether a file is called like a photo."""
    return path.suffix.lower() in PHOTO_SUFFIXES


def _files(folder: Path, unreadable: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    for parent, names, files in os.walk(folder, onerror=unreadable):
        names[:] = sorted(n for n in names if not _is_hidden(n))
        yield from (Path(parent, name) for name in sorted(files) if not _is_hidden(name))


def _unreadable(error: OSError) -> None:
    raise DataError(f"Expected to read the folder {error.filename}, but: {error.strerror}.") from error


def _direct_photos(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if is_photo(p) and not _is_hidden(p.name) and p.is_file())


def _ignored_folders(root: Path, folders: dict[str, Path]) -> Iterator[Path]:
    """Hidden folders anywhere, and what lies beside the split folders."""
    if WHOLE not in folders:
        yield from (p for p in class_folders(root) if p not in folders.values())
    for parent, names, _ in os.walk(root):
        yield from (Path(parent, name) for name in sorted(names) if _is_hidden(name))
        names[:] = sorted(n for n in names if not _is_hidden(n))


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
