"""What is awaited of a client, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """One thing that is awaited at a time, or nothing.

    Args:
        passed: told the reason that was given, when what was awaited has not come.
    """

    def __init__(self, passed: Callable[[str], None]) -> None:
        self._passed = passed
        self._timer: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        """Whether something is awaited."""
        return self._timer is not None

    def begin(self, seconds: float, reason: str) -> None:
        """Await something, in the place of whatever was."""
        self.end()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._passed, reason)

    def end(self) -> None:
        """It came."""
        if self._timer:
            self._timer.cancel()
        self._timer = None
