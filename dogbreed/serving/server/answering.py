"""From the body of a request to the body of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.answers import accepted_media
from dogbreed.serving.fetching.fetcher import fetcher_of
from dogbreed.serving.handler import answer, output_fn, prepare
from dogbreed.serving.reading import read_request
from dogbreed.serving.server.admission import Admission
from dogbreed.serving.server.batching import Batcher
from dogbreed.serving.server.limits import Limits
from dogbreed.serving.server.workers import Workers
from dogbreed.serving.settings import Settings

Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """Of a request: the body, its media type, and how many photos it speaks of."""

    content: bytes
    media: str
    photos: int


class Answering:
    """Reads on a few threads, computes together on one; so many requests at once, and no more.

    Args:
        predictor: the model.
        settings: what a request may hold.
        limits: of the server.
        threads: that the network computes with.
        observe: told the size of each batch.
    """

    def __init__(
        self,
        predictor: BreedPredictor,
        settings: Settings,
        limits: Limits,
        *,
        threads: int,
        observe: Callable[[int], None],
    ) -> None:
        self._predictor, self._settings = predictor, settings
        self.admission = Admission(limits.requests)
        self.batcher = Batcher(predictor.network_logits, limits.batch, threads, observe)
        # A fetch holds a thread while it waits for someone else: half of them are left for photos at hand.
        self._fetcher = fetcher_of(settings.fetch_hosts, max(1, limits.workers // 2)) if settings.fetch_hosts else None
        self._workers = Workers(limits.workers)
        self._turn = asyncio.Semaphore(limits.workers)

    async def answer(self, body: bytes, content_type: str | None, accept: str | None) -> Answer:
        """What the model says of the photos of a request.

        Raises:
            BusyError: too many requests wait.
            RequestError: this one cannot be answered.
        """
        accepted_media(accept)
        with self.admission.place():
            images = await self._prepared(body, content_type)
            logits = await self.batcher.logits(images)
            written = await self._workers.run(lambda: self._write(logits, accept))
            return Answer(*written, len(images))

    async def run(self, work: Callable[[], Result]) -> Result:
        """Other work, on the threads that read photos.

        Raises:
            BusyError: too many requests wait.
        """
        with self.admission.place():
            return await self._workers.run(work)

    def close(self) -> None:
        """Let the threads end."""
        self._workers.close()
        self.batcher.close()

    async def _prepared(self, body: bytes, content_type: str | None) -> Tensor:
        async with self._turn:
            await self.batcher.room()
            return await self._workers.run(lambda: self._prepare(body, content_type))

    def _write(self, logits: Tensor, accept: str | None) -> tuple[bytes, str]:
        return output_fn(answer(logits, self._predictor, self._settings.top_k), accept)

    def _prepare(self, body: bytes, content_type: str | None) -> Tensor:
        side, fetcher = self._predictor.smallest_side, self._fetcher
        images = read_request(body, content_type, self._settings, fetcher=fetcher, smallest_side=side)
        return prepare(images, self._predictor)
