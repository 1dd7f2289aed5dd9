"""Drawn photos of as many classes as are wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dogbreed.data.randomness import derived_seed
from dogbreed.data.sample import EARS, DrawnBreed, draw_photo

COATS = ("spots", "stripes", "plain", "mask")
SHAPES = [(ears, coat) for ears in EARS for coat in COATS]
COUNTS = {"train": 6, "valid": 5, "test": 1}


def drawn_breeds(classes: int) -> list[DrawnBreed]:
    """So many breeds: all ears and coats, in as many colours as it takes."""
    hues = -(-classes // len(SHAPES))
    chosen = [(number, *SHAPES[number % len(SHAPES)]) for number in range(classes)]
    return [DrawnBreed(f"Drawn_{n}", n // len(SHAPES) / hues, ears, coat) for n, ears, coat in chosen]


def draw_classes(root: Path, classes: int, counts: dict[str, int] = COUNTS) -> Path:
    """A folder of photos of so many drawn breeds, always the same."""
    for split, count in counts.items():
        for breed in drawn_breeds(classes):
            folder = root / split / breed.name
            folder.mkdir(parents=True)
            for index in range(count):
                generator = np.random.default_rng(derived_seed("planted", split, breed.name, index))
                draw_photo(breed, generator).save(folder / f"{index}.png")
    return root
