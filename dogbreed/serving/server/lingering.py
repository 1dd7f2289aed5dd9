"""Closing a connection so that the other side still reads what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

SECONDS = 2.0
UNREAD_SECONDS = 30.0
MOST = 64 * 2**20  # bytes


class Lingering:
    """A transport that is closed in two steps if the client is still sending.

    The kernel answers bytes that nobody reads with a reset, which overtakes the answer: so they are read and thrown
    away, for a short time, up to a number of bytes.

    Args:
        transport: of a connection.
        still_sending: whether the client has more to say.
    """

    def __init__(self, transport: asyncio.Transport, still_sending: Callable[[], bool]) -> None:
        self._transport, self._still_sending = transport, still_sending
        self._left = MOST
        self._lingers = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more can be said."""
        return self._lingers or self._transport.is_closing()

    def close(self) -> None:
        """Close after what was written is sent."""
        if self.is_closing():
            return
        end = self._linger if self._still_sending() else self._leave
        end()

    def _leave(self) -> None:
        self._transport.close()
        # A client that does not take the rest would keep it, and the place, for ever.
        if self._transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(UNREAD_SECONDS, self._transport.abort)

    def _linger(self) -> None:
        self._lingers = True
        self._transport.resume_reading()
        self._transport.write_eof()
        asyncio.get_running_loop().call_later(SECONDS, self._transport.abort)

    def discard(self, data: bytes) -> None:
        """Throw away what came after the answer; break off if it is too much."""
        self._left -= len(data)
        if self._left < 0:
            self._transport.abort()
