"""HTTP as h11 reads it, with the bounds that it leaves open."""

from __future__ import annotations

import h11

HEADER_BYTES = 16 * 2**10
FREE = 1000  # pieces of a body, of any size
SMALLEST = 64  # bytes, in the mean of those beyond


class BoundedParser(h11.Connection):
    """Refuses a header that is too large, and a body in more and smaller pieces than any client has reason to send.

    h11 bounds what is incomplete only; and each piece costs the same, whether it holds a byte or a million.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEADER_BYTES)
        self._pieces = self._bytes = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """What came next; a RemoteProtocolError if it is too much."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._check_header(event)
        elif isinstance(event, h11.Data):
            self._check_piece(len(event.data))
        return event

    def _check_header(self, request: h11.Request) -> None:
        self._pieces = self._bytes = 0
        if len(request.target) + sum(len(name) + len(value) for name, value in request.headers) > HEADER_BYTES:
            raise h11.RemoteProtocolError("Expected a smaller header.", error_status_hint=431)

    def _check_piece(self, size: int) -> None:
        self._pieces += 1
        self._bytes += size
        if self._pieces > FREE + self._bytes // SMALLEST:
            raise h11.RemoteProtocolError("Expected a body in larger pieces.", error_status_hint=400)
