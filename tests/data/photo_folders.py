"""Folders of small photos for tests: every photo is noise of its own, so that no two are the same by chance."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

_SEEDS = itertools.count()


def noise(width: int = 80, height: int = 72, seed: int | None = None) -> Image.Image:
    rng = np.random.default_rng(next(_SEEDS) if seed is None else seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def add_photo(path: Path, image: Image.Image | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or noise()).save(path)
    return path


def add_class(folder: Path, photos: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(photos):
        add_photo(folder / f"{number:03}.jpg")
    return folder


def photo_folder(root: Path, splits: Mapping[str, Mapping[str, int]]) -> Path:
    """Draw as many photos as asked for, by split folder and class folder."""
    for split, classes in splits.items():
        for name, photos in classes.items():
            add_class(root / split / name, photos)
    return root


def clean_folder(root: Path) -> Path:
    few, many = {"akita": 2, "beagle": 2}, {"akita": 5, "beagle": 6}
    return photo_folder(root, {"train": many, "valid": few, "test": few})
