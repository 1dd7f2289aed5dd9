"""The channels of a job: which folders of S3 the container finds below `input/data`, and as what."""

from __future__ import annotations

from pathlib import Path

from dogbreed.data.folder import split_folders
from dogbreed.errors import ConfigError
from dogbreed.job.settings import PHOTOS

TEST = "test"
# As a folder in S3 is expected to be laid out where a search may not be given all of it.
SEARCHED = ("train", "valid")


def is_in_s3(root: str) -> bool:
    """Whether photos are there already.

    >>> is_in_s3("s3://photos/dogs"), is_in_s3("photos/dogs")
    (True, False)
    """
    return root.startswith("s3://")


def folder_channels(root: Path, *, trial: bool) -> dict[str, Path]:
    """The folders of photos on this machine by the channel that brings each; a search gets none of test photos.

    Where there are folders of splits, the channels have their names: what lies below `input/data` in the container is
    then the same folder.

    Raises:
        ConfigError: there is no such folder.
    """
    if not root.is_dir():
        raise ConfigError(
            f"Expected a folder of photos at {root}, found none. Give data.root=PATH, or data.root=s3://BUCKET/PREFIX "
            "for photos in S3."
        )
    splits = {split: folder for split, folder in split_folders(root).items() if not (trial and split == TEST)}
    return {folder.name: folder for folder in splits.values()} or {PHOTOS: root}


def has_test(root: str) -> bool:
    """Whether the photos come with test photos of their own; in S3 it is taken that they do."""
    return is_in_s3(root) or TEST in split_folders(Path(root).expanduser())


def folder_uris(root: Path, uri: str, channels: dict[str, Path]) -> dict[str, str]:
    """Where in S3 each channel's folder is, once the root is at `uri`.

    >>> folder_uris(Path("dogs"), "s3://b/photos/1/", {"train": Path("dogs/train")})
    {'train': 's3://b/photos/1/train/'}
    """
    below = {name: folder.relative_to(root).as_posix() for name, folder in channels.items()}
    return {name: as_folder(uri if path == "." else f"{as_folder(uri)}{path}") for name, path in below.items()}


def s3_channels(root: str, *, trial: bool) -> dict[str, str]:
    """The channels of photos that are in S3.

    >>> s3_channels("s3://photos/dogs", trial=True)
    {'train': 's3://photos/dogs/train/', 'valid': 's3://photos/dogs/valid/'}
    """
    return {name: f"{as_folder(root)}{name}/" for name in SEARCHED} if trial else {PHOTOS: as_folder(root)}


def as_folder(uri: str) -> str:
    """With a slash at its end: without one, a prefix is also that of what begins alike.

    >>> as_folder("s3://photos/dogs")
    's3://photos/dogs/'
    """
    return uri if uri.endswith("/") else f"{uri}/"
