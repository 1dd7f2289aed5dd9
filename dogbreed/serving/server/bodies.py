"""The bodies of requests, counted as they come: each by its size and its time, all together by their size."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dogbreed.serving.error import RequestError
from dogbreed.serving.server.admission import Admission, BusyError
from dogbreed.serving.server.refusing import refusal


class BoundedBodies:
    """Whatever is behind it can read a body whole: it is never too large, and comes in time or not at all.

    Args:
        app: what answers.
        most: bytes of a body.
        seconds: for a body.
        held: places for the bytes of all bodies together.
    """

    def __init__(self, app: ASGIApp, *, most: int, seconds: float, held: Admission) -> None:
        self._app, self._most, self._seconds, self._held = app, most, seconds, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        body = Body(receive, self._most, self._seconds, self._held)
        try:
            body.check(int(Headers(scope=scope).get("content-length", 0)))
        except (RequestError, BusyError) as error:
            return await refusal(error)(scope, receive, send)
        try:
            await self._app(scope, body.receive, send)
        finally:
            body.close()


class Body:
    """The messages of one request, with the options of `BoundedBodies`."""

    def __init__(self, receive: Receive, most: int, seconds: float, held: Admission) -> None:
        self._receive, self._most, self._held = receive, most, held
        self._seconds, self._until = seconds, asyncio.get_running_loop().time() + seconds
        self._bytes, self._ended = 0, False

    def check(self, size: int) -> None:
        """Raise RequestError for a body of so many bytes if it is too large, BusyError if there is no room for it."""
        if size > self._most:
            raise RequestError(413, f"Expected a body of at most {self._most:,} bytes, got {size:,}.")
        self._held.check(size)

    async def receive(self) -> Message:
        """The next message.

        Raises:
            BusyError: all bodies together are too large.
            RequestError: this one is, or it does not come.
        """
        if self._ended:
            return await self._receive()
        message = await self._in_time()
        self._count(len(message.get("body", b"")))
        self._ended = not message.get("more_body", False)
        return message

    def close(self) -> None:
        """Make room."""
        self._held.give(self._bytes)
        self._bytes = 0

    async def _in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self._until):
                return await self._receive()
        except TimeoutError as error:
            raise RequestError(408, f"Expected the body within {self._seconds:g} seconds.") from error

    def _count(self, size: int) -> None:
        if self._bytes + size > self._most:
            raise RequestError(413, f"Expected a body of at most {self._most:,} bytes.")
        self._held.take(size)
        self._bytes += size
