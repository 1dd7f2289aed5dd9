"""Photos that are there twice, within a split or in two of them: the same file, or nearly the same picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from dogbreed.data.photos import PhotoError
from dogbreed.evaluation.neighbours import Features, Neighbours, nearest
from dogbreed.evaluation.same_picture import Thumbnail, correlation, thumbnail

Kind = Literal["same file", "nearly the same", "mirrored"]

NEAREST = 5  # of each photo, that are looked at
MOST_PAIRS = 4000  # that are opened
SAME = 0.7  # correlation of two pictures; see benchmarks/duplicates.py


@dataclass(frozen=True)
class PhotoFeatures:
    """The photos of a split, and their features, shape (photos, width), as the network sees them.

    `mirrored` are those of their mirror images, or None where nobody looked.
    """

    paths: Sequence[Path]
    features: Features
    mirrored: Features | None = None


@dataclass(frozen=True)
class Duplicate:
    """Two photos, by their positions among those of all splits, and the cosine of their features."""

    first: int
    second: int
    kind: Kind
    similarity: float


def near_duplicates(
    splits: Sequence[PhotoFeatures], contents: Mapping[Path, str] | None = None, *, most_pairs: int = MOST_PAIRS
) -> list[Duplicate]:
    """Pairs of photos that are the same: files first, then the most similar first.

    Features only say where to look: those of a fine-tuned network make different photos of a class alike, those of
    another make copies differ. Of each photo the `NEAREST` others are candidates, and at most `most_pairs` candidates,
    those that stand out most, are opened and compared by their pixels (see `correlation`). Of three and more copies
    of a photo each is in a pair, but not every two of them are.

    Args:
        splits: positions count through them in this order.
        contents: a hash of each file, to tell copies of a file without opening them; photos without are no copies.
        most_pairs: the more, the longer it takes, about 500 a second.
    """
    paths = [path for split in splits for path in split.paths]
    copies = list(_same_files(paths, contents or {}))
    left_out = np.zeros(len(paths), dtype=np.bool_)
    left_out[[copy.second for copy in copies]] = True
    candidates = _candidates(splits, left_out)
    return copies + _confirmed(paths, candidates[:most_pairs])


def _same_files(paths: Sequence[Path], contents: Mapping[Path, str]) -> Iterator[Duplicate]:
    """Each copy of a file with the first of them."""
    first: dict[str, int] = {}
    for position, path in enumerate(paths):
        if path in contents and first.setdefault(contents[path], position) != position:
            yield Duplicate(first[contents[path]], position, "same file", 1.0)


def _candidates(splits: Sequence[PhotoFeatures], left_out: npt.NDArray[np.bool_]) -> list[tuple[int, int, float]]:
    """Pairs of near photos with their cosine, those first that stand out most from what is near to both."""
    features, mirrored = [split.features for split in splits], [split.mirrored for split in splits]
    found: dict[tuple[int, int], tuple[float, float]] = {}
    for view in (None, mirrored):
        for pair, cosine, distinct in _pairs(nearest(features, view, count=NEAREST, left_out=left_out)):
            found[pair] = max(found.get(pair, (cosine, distinct)), (cosine, distinct))
    order = sorted(found, key=lambda pair: -found[pair][1])
    return [(*pair, found[pair][0]) for pair in order]
