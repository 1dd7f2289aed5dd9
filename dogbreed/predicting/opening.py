"""Photos are opened while the network computes: batch after batch, in their order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from dogbreed.data.photo_views import PLAIN, PhotoView, ViewDataset, collated
from dogbreed.data.transforms import Preprocessing

# Batches that are opened, or being opened, while one is computed.
AHEAD = 2
MOST_THREADS = 16


class OpenedBatch(NamedTuple):
    """Photos, and of those that can be read the uint8 images, shape (photos, 3, crop, crop); of others what is wrong.

    The keys of `faults` are positions in `photos`.
    """

    photos: Sequence[Path]
    images: Tensor
    faults: Mapping[int, str]


def opened_batches(
    photos: Iterable[Path], preprocessing: Preprocessing, *, batch_size: int, threads: int
) -> Iterator[OpenedBatch]:
    """The photos as evaluation sees them, `AHEAD` batches ahead of whoever takes them.

    In threads: Pillow lets go of the interpreter's lock while it decodes and resizes, and nothing has to travel
    between processes.

    Args:
        photos: taken from as batches are.
        preprocessing: of the network.
        batch_size: photos at once.
        threads: that open them.
    """
    taken, pool = iter(photos), ThreadPoolExecutor(threads, "photos")
    waiting: deque[tuple[list[Path], list[Future[tuple[int, Tensor | str]]]]] = deque()
    try:
        while batch := list(islice(taken, batch_size)):
            views = ViewDataset([PhotoView(photo, "", PLAIN) for photo in batch], preprocessing)
            waiting.append((batch, [pool.submit(views.__getitem__, position) for position in range(len(batch))]))
            if len(waiting) > AHEAD:
                yield _opened(*waiting.popleft())
        while waiting:
            yield _opened(*waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def usable_cores() -> int:
    """Of this machine, for threads: at most `MOST_THREADS`, more of them would wait for the interpreter's lock."""
    # macOS does not tell which cores a process may use.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_THREADS, cores)


def _opened(photos: Sequence[Path], views: Sequence[Future[tuple[int, Tensor | str]]]) -> OpenedBatch:
    _, images, faults = collated([view.result() for view in views])
    return OpenedBatch(photos, images, faults)
