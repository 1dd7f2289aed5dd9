"""Threads for what would keep the event loop from answering: decoding, resizing, drawing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Result = TypeVar("Result")


class Workers:
    """A few threads; work waits in the event loop for a free one.

    Args:
        threads: how many; each computes on one core.
    """

    def __init__(self, threads: int) -> None:
        self._free = asyncio.Semaphore(threads)
        self._pool = ThreadPoolExecutor(threads, "worker", initializer=torch.set_num_threads, initargs=(1,))

    async def run(self, work: Callable[[], Result]) -> Result:
        """What the work returns or raises; work that is cancelled before its turn is never begun."""
        await self._free.acquire()
        loop, future = asyncio.get_running_loop(), self._pool.submit(work)
        # Not when whoever waits goes: the thread is free when the work has ended, and only then.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._free.release))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the threads end after what they are doing."""
        self._pool.shutdown(wait=False, cancel_futures=True)
