"""Notices that no step comes any more: nothing that the steps themselves call could."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class StallWatch(threading.Thread):
    """Calls `stalled` once when no step came for so long.

    Args:
        seconds: as above.
        stalled: is given the seconds since the last step.
    """

    def __init__(self, seconds: float, stalled: Callable[[float], None]) -> None:
        super().__init__(name="stall watch", daemon=True)
        self._seconds = seconds
        self._stalled = stalled
        self._last = time.monotonic()
        self._ended = threading.Event()

    def step(self) -> None:
        """A step has come."""
        self._last = time.monotonic()

    def stop(self) -> None:
        """Watch no longer; what is being said is said to its end."""
        self._ended.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Wait until a step is overdue, or the watch ends."""
        while not self._ended.wait(max(0.0, self._last + self._seconds - time.monotonic())):
            waited = time.monotonic() - self._last
            if waited >= self._seconds:
                self._stalled(waited)
                return
