"""A few photos of every class, laid out like the folder they are from: enough to see a job run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from dogbreed.data.folder import class_folders, photo_files

CHANNEL_PHOTOS = 300
MOST_A_CLASS = 8
# What is not yet split is shared out among three.
LEAST_A_CLASS = {"train": 2, "photos": 4}
LEAST_SHARED = 4


def photo_slice(channels: Mapping[str, Path], folder: Path, *, most: int = CHANNEL_PHOTOS) -> dict[str, Path]:
    """The channels with a few photos of every class; files beside the class folders come along.

    Args:
        channels: folders on this machine, or the one file of a folder, by channel.
        folder: gets a folder for each channel, of links where the file system has them.
        most: photos of a channel, as far as every class can have one.
    """
    # Validation and test photos that have no channel are taken from those to train on.
    split = "test" in channels and not {"valid", "val", "validation"}.isdisjoint(channels)
    least = LEAST_A_CLASS if split else LEAST_A_CLASS | {"train": LEAST_SHARED}
    return {name: _slice(source, folder / name, most, least.get(name, 1)) for name, source in channels.items()}


def _slice(source: Path, target: Path, most: int, least: int) -> Path:
    target.mkdir(parents=True)
    if source.is_file():
        _link(source, target / source.name)
        return target
    classes = class_folders(source)
    each = max(least, min(MOST_A_CLASS, most // max(len(classes), 1)))
    for file in filter(Path.is_file, source.iterdir()):
        _link(file, target / file.name)
    for below in classes:
        for photo in islice(photo_files(below), each):
            _link(photo, target / photo.relative_to(source))
    return target


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Of what a link points to: below another folder it would lead nowhere.
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
