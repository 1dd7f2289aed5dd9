"""Which version of a photo an answer is about: a photo that was overwritten since is answered again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from dogbreed.predicting.answer import Answer, Row

# As JSON holds it: size in bytes, and nanoseconds since 1970; empty for what is no file here.
Stamp = Sequence[int]
# Of photos, in turn, the answers about each batch.
Photos = Iterable[Path | str]
Answering = Callable[[Photos], Iterable[list[Answer]]]


def stamp(photo: Path | str) -> Stamp:
    """Another for another version of a photo."""
    try:
        found = photo.stat() if isinstance(photo, Path) else None
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns] if found else []


def stamped(photos: Photos, answering: Answering) -> Iterator[list[tuple[Row, Stamp]]]:
    """The answers about photos, each with the stamp that its photo had before it was read."""
    stamps = deque[Stamp]()
    for batch in answering(_noted(photos, stamps)):
        yield [(answer.as_row(), stamps.popleft()) for answer in batch]


def _noted(photos: Photos, stamps: deque[Stamp]) -> Iterator[Path | str]:
    for photo in photos:
        stamps.append(stamp(photo))
        yield photo
