"""The status of a job as a line: when it changes, and every minute that nothing else is said."""

from __future__ import annotations

from collections.abc import Callable

SAID_AGAIN = 60.0  # seconds


class StatusLine:
    """Says what it is told, once.

    Args:
        show: takes a line.
        clock: in seconds.
    """

    def __init__(self, show: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._show, self._clock = show, clock
        self._said, self._since, self._last = "", clock(), clock()

    def say(self, status: str, *, again: bool) -> None:
        """Show a status that is another than before; if `again`, also how long it has been the same."""
        now = self._clock()
        if status != self._said:
            self._said, self._since, self._last = status, now, now
            self._show(status)
        elif again and now - self._last >= SAID_AGAIN:
            self._last = now
            self._show(f"{status.rstrip('.')}, {now - self._since:.0f} s")
