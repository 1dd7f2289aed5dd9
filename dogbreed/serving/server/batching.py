"""Photos of many requests through the network at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

Forward = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Piece:
    """Of a request: at most a batch of its images, and where their logits are awaited."""

    images: Tensor
    logits: asyncio.Future[Tensor]


class Batcher:
    """One thread computes; what comes meanwhile is computed together next.

    Nobody waits for company: a batch is what came while the one before was computed, so that a single request is
    computed at once and many in few batches.

    Args:
        forward: normalised images, shape (n, 3, side, side), to logits, shape (n, classes); called in one thread.
        most: images at once.
        threads: that torch computes with.
        observe: told the size of each batch.
    """

    def __init__(self, forward: Forward, most: int, threads: int, observe: Callable[[int], None]) -> None:
        self._forward, self._most, self._observe = forward, most, observe
        self._waiting: deque[Piece] = deque()
        self._room = asyncio.Condition()
        self._running: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "network", initializer=torch.set_num_threads, initargs=(threads,))

    @property
    def waiting(self) -> int:
        """Images that wait for their turn."""
        return sum(len(piece.images) for piece in self._waiting)

    async def room(self) -> None:
        """Wait until few images wait: those that come faster than they are computed would fill the memory."""
        async with self._room:
            await self._room.wait_for(lambda: self.waiting < 4 * self._most)

    async def logits(self, images: Tensor) -> Tensor:
        """The network's, on the CPU; images whose request is cancelled before their turn are not computed.

        Raises:
            Exception: what the network raises for these images alone.
        """
        loop = asyncio.get_running_loop()
        pieces = [Piece(part, loop.create_future()) for part in torch.split(images, self._most)]
        self._waiting.extend(pieces)
        if not self._running:
            self._running = loop.create_task(self._compute_all())
        return torch.cat(await asyncio.gather(*(piece.logits for piece in pieces)))

    def close(self) -> None:
        """Let the thread end after what it is doing."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _compute_all(self) -> None:
        try:
            while self._waiting:
                batch = self._next()
                async with self._room:
                    self._room.notify_all()
                if batch:
                    await self._compute(batch)
        finally:
            self._running = None

    def _next(self) -> list[Piece]:
        batch: list[Piece] = []
        photos = 0
        while self._waiting and photos + len(self._waiting[0].images) <= self._most:
            piece = self._waiting.popleft()
            if not piece.logits.done():
                batch.append(piece)
                photos += len(piece.images)
        return batch

    async def _compute(self, batch: Sequence[Piece]) -> None:
        try:
            parts = await self._parts([piece.images for piece in batch])
        # Whatever it is: those who wait have to hear of it, and the next to be computed.
        except Exception as error:
            await self._compute_apart(batch, error)
        else:
            for piece, part in zip(batch, parts, strict=True):
                _settle(piece, part)

    async def _parts(self, parts: Sequence[Tensor]) -> Sequence[Tensor]:
        images = torch.cat(list(parts)) if len(parts) > 1 else parts[0]
        logits = await asyncio.get_running_loop().run_in_executor(self._thread, self._forward, images)
        self._observe(len(images))
        return torch.split(logits, [len(part) for part in parts])

    async def _compute_apart(self, batch: Sequence[Piece], error: Exception) -> None:
        # Only those fail that would have failed alone.
        if len(batch) == 1:
            _settle(batch[0], error)
        for piece in batch if len(batch) > 1 else ():
            await self._compute([piece])


def _settle(piece: Piece, result: Tensor | Exception) -> None:
    if piece.logits.done():
        return
    if isinstance(result, Exception):
        piece.logits.set_exception(result)
    else:
        piece.logits.set_result(result)
