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
Pair = tuple[int, int]

NEAREST = 5  # others of each photo are candidates
MOST_PAIRS = 4000
SAME = 0.7  # correlation: that of planted copies is 0.7 and more, that of different photographs 0.6 and less


@dataclass(frozen=True)
class PhotoFeatures:
    """The photos of a split and their features, shape (photos, width), as the network sees them.

    `mirrored` are the features of their mirror images, in the same shape, or None where there are none.
    """

    paths: Sequence[Path]
    features: Features
    mirrored: Features | None = None


@dataclass(frozen=True)
class Duplicate:
    """Two photos, by their positions among those of all splits in their order, `first` before `second`.

    `similarity` is the cosine of their features, or of those of one and the mirror image of the other if it is higher.
    """

    first: int
    second: int
    kind: Kind
    similarity: float


def near_duplicates(
    splits: Sequence[PhotoFeatures], contents: Mapping[Path, str] | None = None, *, most_pairs: int = MOST_PAIRS
) -> list[Duplicate]:
    """Pairs of photos that are the same: copies of a file, then other pictures, the most similar first.

    Features say only where to look: those of a fine-tuned network make all photos of a class alike, and those of one
    without pretrained weights pass over some copies in another size or light. Of each photo the `NEAREST` others are
    candidates. At most `most_pairs` of them, the most similar and those that stand out most, are opened and compared by
    their pixels: found are pictures in another file format, size or light, squashed, mirrored, or cut to a part. Of
    three and more copies of a photo each is named, but not each with every other.

    Args:
        splits: photos and features; photos that cannot be opened are passed over.
        contents: a hash of each file, which tells copies of a file; photos without one are compared by their pixels.
        most_pairs: bounds the time; about 500 are compared in a second, and memory holds 4 KiB of each photo.
    """
    paths = [path for split in splits for path in split.paths]
    copies = list(_same_files(paths, contents or {}))
    left_out = np.zeros(len(paths), dtype=np.bool_)
    left_out[[copy.second for copy in copies]] = True
    return copies + _confirmed(paths, _candidates(splits, left_out, most_pairs))


def _same_files(paths: Sequence[Path], contents: Mapping[Path, str]) -> Iterator[Duplicate]:
    """Each copy of a file, with the first."""
    first: dict[str, int] = {}
    for position, path in enumerate(paths):
        if path in contents and first.setdefault(contents[path], position) != position:
            yield Duplicate(first[contents[path]], position, "same file", 1.0)


def _candidates(splits: Sequence[PhotoFeatures], left_out: npt.NDArray[np.bool_], most_pairs: int) -> dict[Pair, float]:
    """Pairs of near photos and their cosines, the most similar first."""
    features = [split.features for split in splits]
    cosines: dict[Pair, float] = {}
    excesses: dict[Pair, float] = {}
    for mirrored in (None, [split.mirrored for split in splits]):
        for pair, cosine, excess in _pairs(nearest(features, mirrored, count=NEAREST, left_out=left_out)):
            cosines[pair] = max(cosine, cosines.get(pair, -1.0))
            excesses[pair] = max(excess, excesses.get(pair, 0.0))
    # By cosine alone, photos of the class that looks most alike would come first; by excess alone, those of which
    # there are many copies would come last.
    ranks = [{pair: rank for rank, pair in enumerate(sorted(by, key=lambda p: -by[p]))} for by in (cosines, excesses)]
    chosen = sorted(cosines, key=lambda pair: min(rank[pair] for rank in ranks))[:most_pairs]
    return {pair: cosines[pair] for pair in sorted(chosen, key=lambda pair: -cosines[pair])}


def _pairs(neighbours: Neighbours) -> Iterator[tuple[Pair, float, float]]:
    """Each photo with each of its nearest, their cosine, and by how much it exceeds that with the last of these."""
    for photo, (others, cosines) in enumerate(
        zip(neighbours.positions.tolist(), neighbours.cosines.tolist(), strict=True)
    ):
        near = [(other, cosine) for other, cosine in zip(others, cosines, strict=True) if cosine > -np.inf]
        for other, cosine in near:
            yield (min(photo, other), max(photo, other)), cosine, cosine - near[-1][1]


def _confirmed(paths: Sequence[Path], candidates: Mapping[Pair, float]) -> list[Duplicate]:
    """The candidates whose pixels agree."""
    photos = sorted({photo for pair in candidates for photo in pair})
    with ThreadPool(os.cpu_count() or 1) as pool:
        thumbnails = dict(zip(photos, pool.map(lambda photo: _thumbnail(paths[photo]), photos), strict=True))
        compared = pool.imap(lambda pair: _compared(thumbnails[pair[0]], thumbnails[pair[1]]), candidates)
        bar = tqdm(
            compared, "Comparing photos", len(candidates), unit=" pairs", disable=None, leave=False, file=sys.stderr
        )
        return [
            Duplicate(*pair, kind, cosine)
            for (pair, cosine), kind in zip(candidates.items(), bar, strict=True)
            if kind is not None
        ]


def _thumbnail(path: Path) -> Thumbnail | None:
    try:
        return thumbnail(path)
    except PhotoError:
        return None


def _compared(first: Thumbnail | None, second: Thumbnail | None) -> Kind | None:
    if first is None or second is None:
        return None
    agreement, is_mirrored = correlation(first, second)
    if agreement < SAME:
        return None
    return "mirrored" if is_mirrored else "nearly the same"
