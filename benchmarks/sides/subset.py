"""Some photos of a folder as a folder of its own, so that every program can be given the same few."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, zip_longest
from pathlib import Path


@contextmanager
def subset(root: Path, limits: Mapping[str, int | None], seed: int) -> Iterator[Path]:
    """A temporary folder with the first photos of each split after a seeded shuffle; `root` itself without limits.

    The shuffle takes a photo of each class in turn, the classes in the same order in every split: as many photos as
    there are classes show all of them. Fewer show fewer classes, and only the classes of the training photos stay.

    Args:
        root: with a folder for each split.
        limits: how many photos of each split folder; None for all.
        seed: of the shuffle.
    """
    if not any(limits.values()):
        yield root.resolve()
        return
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder), root, limits, seed)
        yield Path(folder)


def _fill(folder: Path, root: Path, limits: Mapping[str, int | None], seed: int) -> None:
    chosen = {split: shuffled(root / split, seed)[:limit] for split, limit in limits.items()}
    classes = {path.parent.name for path in chosen["train"]}
    for split, paths in chosen.items():
        for name in classes:
            (folder / split / name).mkdir(parents=True)
        for path in (path for path in paths if path.parent.name in classes):
            _link(path, folder / split / path.parent.name / path.name)


def shuffled(split: Path, seed: int) -> list[Path]:
    """All photos of a split folder: one of each class, then the second of each, and so on."""
    drawn = random.Random(seed)
    classes = sorted(path for path in split.iterdir() if path.is_dir())
    drawn.shuffle(classes)
    photos = [sorted(folder.iterdir()) for folder in classes]
    for of_class in photos:
        drawn.shuffle(of_class)
    return [path for path in chain.from_iterable(zip_longest(*photos)) if path is not None]


def _link(path: Path, place: Path) -> None:
    # A link where the file system allows it: a copy would take as long as an epoch of a fast side.
    try:
        os.link(path, place)
    except OSError:
        shutil.copyfile(path, place)
