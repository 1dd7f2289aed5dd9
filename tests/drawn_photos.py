"""Folders of drawn photos, small enough to be trained on within a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dogbreed.data.randomness import derived_seed
from dogbreed.data.sample import BREEDS, draw_photo

COUNTS = {"train": 10, "valid": 3, "test": 3}


def draw_folder(root: Path, *, classes: int = 4, counts: Mapping[str, int] = COUNTS, size: int = 48) -> Path:
    """A folder of `classes` drawn breeds, the same for the same arguments, every photo different."""
    for split, count in counts.items():
        for number in range(classes):
            folder = root / split / f"{number + 1:03d}.{BREEDS[number].name}"
            folder.mkdir(parents=True)
            for index in range(count):
                generator = np.random.default_rng(derived_seed("test", split, number, index))
                draw_photo(BREEDS[number], generator).resize((size, size)).save(folder / f"{index}.png")
    return root
