"""Rows of photos, computed by several threads, in blocks as they are stored."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from torch import Tensor
from tqdm import tqdm

BLOCK_BYTES = 64 * 2**20
AHEAD = 128  # photos, prepared while a block is written


def computed_blocks(
    contents: list[str], row: Callable[[str], Tensor | None], before_photo: Callable[[], None]
) -> Iterator[dict[str, Tensor]]:
    """The rows of photos, a block at a time.

    Args:
        contents: the photos.
        row: of a photo; None for none.
        before_photo: is called before each photo, and may raise to stop.
    """
    # Threads are enough: Pillow lets go of the interpreter's lock while it decodes.
    pool = ThreadPoolExecutor(os.cpu_count())
    bar = tqdm(total=len(contents), desc="Preparing photos", unit=" images", disable=None, leave=False, file=sys.stderr)
    block: dict[str, Tensor] = {}
    taken = 0
    try:
        for content, computed in _computed_ahead(pool, contents, row):
            before_photo()
            bar.update()
            if computed is not None:
                block[content] = computed
                taken += computed.nbytes
            if taken >= BLOCK_BYTES:
                yield block
                block, taken = {}, 0
        if block:
            yield block
    finally:
        bar.close()
        pool.shutdown(cancel_futures=True)


def _computed_ahead(
    pool: ThreadPoolExecutor, contents: Iterable[str], row: Callable[[str], Tensor | None]
) -> Iterator[tuple[str, Tensor | None]]:
    """In their order, no more than `AHEAD` before they are asked for: a slow disk must not fill the memory."""
    waiting = deque[tuple[str, Future[Tensor | None]]]()
    for content in contents:
        waiting.append((content, pool.submit(row, content)))
        if len(waiting) > AHEAD:
            first, computed = waiting.popleft()
            yield first, computed.result()
    for first, computed in waiting:
        yield first, computed.result()
