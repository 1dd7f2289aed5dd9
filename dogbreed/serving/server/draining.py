"""Stopping without losing what was accepted."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from dogbreed.serving.server.connection import BoundedConnection
from dogbreed.serving.server.health import Health

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class DrainingServer(uvicorn.Server):
    """Ends after SIGTERM or Ctrl-C with every accepted request answered, if that takes no longer than it may.

    A second Ctrl-C ends it at once.

    Args:
        config: uvicorn's.
        health: says from then on that the server stops.
    """

    def __init__(self, config: uvicorn.Config, health: Health) -> None:
        super().__init__(config)
        self._health = health
        self.cut_off = 0  # requests that came whole and have no answer, at the end

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn would raise the signals again at the end: to stop as one was told is no failure."""
        # Signals come to the main thread only.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for what was accepted, as long as there is time."""
        await super().shutdown(sockets)
        left = [one for one in self.server_state.connections if isinstance(one, BoundedConnection)]
        self.cut_off = sum(not one.awaits_client() for one in left)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        self._health.stopping = True
        super().handle_exit(sig, frame)
