"""Photos that are there twice, within a split or across splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dogbreed.evaluation.answers import Answers


@dataclass(frozen=True)
class Copy:
    """Two photos that are the same or nearly so: their splits, paths and targets, and what they have in common."""

    splits: tuple[str, str]
    paths: tuple[Path, Path]
    targets: tuple[int, int]
    kind: str
    similarity: float


def find_copies(answers: Mapping[str, Answers], contents: Mapping[Path, str]) -> Iterator[Copy]:
    return iter(())
