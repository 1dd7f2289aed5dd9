"""A data set that comes as one zip at a URL: fetched, unpacked and counted, once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dogbreed.data.archive import unzip
from dogbreed.data.download import download
from dogbreed.data.folder import class_folders, photo_files, split_folders
from dogbreed.data.lock import locked
from dogbreed.errors import DataError

MAX_GROWTH = 10  # photos are compressed already
MAX_FILES_PER_PHOTO = 3  # a label or a thumbnail beside each


def fetch_dataset(root: Path, *, url: str, size: int | None, counts: Mapping[str, int], num_classes: int) -> Path:
    """Return `root` with all photos of a data set in it: fetched and unpacked if it is missing, else only counted.

    The zip is kept beside it as `<root>.zip` until the photos have been counted. Processes that call this at
    once wait for the first.

    Args:
        root: where the split folders lie, or will lie.
        url: of the zip, http or https.
        size: of the zip in bytes, where known.
        counts: how many photos each split has, by its name (train, val, test).
        num_classes: how many classes there are over all splits.

    Raises:
        DownloadError: the zip could not be fetched.
        DataError: the zip cannot be unpacked safely, or `root` holds other photos; it is left as it is.

    >>> from tempfile import mkdtemp
    >>> photo = Path(mkdtemp()) / "train" / "001.Akita" / "1.jpg"
    >>> photo.parent.mkdir(parents=True)
    >>> photo.touch()
    >>> root = photo.parents[2]
    >>> fetch_dataset(root, url="https://localhost/", size=None, counts={"train": 1}, num_classes=1) == root
    True
    """
    place = root.expanduser().resolve()
    try:
        if _is_missing(place):
            with locked(place):
                if _is_missing(place):
                    _fetch(place, url, size, counts, num_classes)
        _check_counts(place, counts, num_classes)
    except OSError as error:
        raise DataError(
            f"Expected to read and write {place}, got: {error.strerror or error}. Check its permissions, or "
            f"choose another folder with data.root=FOLDER."
        ) from error
    return root


def _is_missing(root: Path) -> bool:
    return not root.exists() or (root.is_dir() and not any(root.iterdir()))


def _archive(root: Path) -> Path:
    return root.with_name(root.name + ".zip")


def _fetch(root: Path, url: str, size: int | None, counts: Mapping[str, int], num_classes: int) -> None:
    archive = download(url, _archive(root), size=size)
    max_files = MAX_FILES_PER_PHOTO * sum(counts.values())
    unzip(archive, root, max_files=max_files, max_bytes=MAX_GROWTH * archive.stat().st_size)
    _check_counts(root, counts, num_classes)
    archive.unlink()


def _check_counts(root: Path, counts: Mapping[str, int], num_classes: int) -> None:
    classes = {split: class_folders(folder) for split, folder in split_folders(root).items()}
    found = {split: sum(1 for f in folders for _ in photo_files(f)) for split, folders in classes.items()}
    names = {folder.name for folders in classes.values() for folder in folders}
    if found != dict(counts) or len(names) != num_classes:
        leftover = f"{root} and {_archive(root)}" if _archive(root).exists() else str(root)
        raise DataError(
            f"Expected {_shown(counts)} photos of {num_classes} classes in {root}, found {_shown(found)} photos "
            f"of {len(names)} classes. Remove {leftover} and run again, or choose another folder with "
            f"data.root=FOLDER."
        )


def _shown(counts: Mapping[str, int]) -> str:
    """Every count with its split.

    >>> _shown({"train": 2, "val": 1})
    'train 2, val 1'
    """
    return ", ".join(f"{split} {count}" for split, count in counts.items()) or "no"
