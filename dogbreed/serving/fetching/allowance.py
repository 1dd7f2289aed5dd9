"""How long and how much the URLs of one request may take, all of them together."""

from __future__ import annotations

import io
import socket
import time
from dataclasses import dataclass, field

# Status lines, headers and chunk sizes of one answer.
HEADERS = 64 * 2**10


class OverBytesError(OSError):
    """More came than there was left to fetch."""


@dataclass
class Allowance:
    """What is left of a request's time and bytes; used up by each fetch in turn.

    Attributes:
        bytes_left: of photos.
        seconds: from when they are first asked for: the beginning of the request's first fetch.
    """

    bytes_left: int
    seconds: float
    _end: float | None = field(default=None, init=False)

    def seconds_left(self) -> float:
        """Always above 0.

        Raises:
            TimeoutError: there are none.
        """
        now = time.monotonic()
        self._end = now + self.seconds if self._end is None else self._end
        left = self._end - now
        if left <= 0:
            raise TimeoutError
        return left


class AllowedReader(io.RawIOBase):
    """What a socket receives, until time or bytes run out: a peer that sends a byte a second gains nothing by it."""

    def __init__(self, receiving: socket.socket, allowance: Allowance) -> None:
        self._socket, self._allowance = receiving, allowance
        self._left = allowance.bytes_left + HEADERS

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As any file.

        Raises:
            TimeoutError: the time is over.
            OverBytesError: so are the bytes.
        """
        self._socket.settimeout(self._allowance.seconds_left())
        read = self._socket.recv_into(buffer)
        self._left -= read
        if self._left < 0:
            raise OverBytesError
        return read
