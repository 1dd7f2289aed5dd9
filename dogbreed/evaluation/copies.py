"""The duplicates among the photos of all splits, with the splits and classes they lie in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dogbreed.evaluation.answers import Answers
from dogbreed.evaluation.duplicates import PhotoFeatures, near_duplicates


@dataclass(frozen=True)
class Copy:
    """Two photos that are the same or nearly so; `similarity` is the cosine of their features."""

    splits: tuple[str, str]
    paths: tuple[Path, Path]
    targets: tuple[int, int]
    kind: str
    similarity: float


def find_copies(answers: Mapping[str, Answers], contents: Mapping[Path, str]) -> Iterator[Copy]:
    """Pairs of photos, those across splits first.

    Args:
        answers: by split.
        contents: a hash of each file.
    """
    parts = [PhotoFeatures(found.split.paths, found.features, found.mirrored_features) for found in answers.values()]
    places = [(name, row) for name, found in answers.items() for row in range(len(found.split))]
    pairs = [(places[pair.first], places[pair.second], pair) for pair in near_duplicates(parts, contents)]
    for first, second, pair in sorted(pairs, key=lambda found: found[0][0] == found[1][0]):
        splits = [answers[name].split for name, _ in (first, second)]
        rows = first[1], second[1]
        yield Copy(
            (first[0], second[0]),
            (splits[0].paths[rows[0]], splits[1].paths[rows[1]]),
            (splits[0].targets[rows[0]], splits[1].targets[rows[1]]),
            pair.kind,
            pair.similarity,
        )
