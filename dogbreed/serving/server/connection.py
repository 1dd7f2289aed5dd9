"""A client's connection, of which nothing is without a bound: uvicorn's with h11, and what it leaves open."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from dogbreed.serving.server.deadline import Deadline
from dogbreed.serving.server.early_answer import early_answer, proposed_status
from dogbreed.serving.server.limits import Limits
from dogbreed.serving.server.lingering import Lingering
from dogbreed.serving.server.parsing import BoundedParser

LAST_CHANCE = 1.0  # seconds for the next request of an idle connection, once the server is to stop
FULL = "Busy: too many connections at the moment."


class BoundedConnection(H11Protocol):
    """One of a bounded number, with a bounded time for each thing that is awaited from its client.

    Args:
        limits: of the server.
        refused: told why, whenever a client is turned away before there is a request.
        options: uvicorn's.
    """

    def __init__(self, *, limits: Limits, refused: Callable[[str], None], **options: Any) -> None:
        super().__init__(**options)
        self.conn = BoundedParser()
        self._limits, self._refused = limits, refused
        # A client that does not take its answers may send further requests meanwhile.
        self._coming, self._taking = Deadline(self._give_up), Deadline(self._give_up)
        self.waits_since = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take part, if need be in the place of the client that has let us wait longest."""
        self._lingering = Lingering(transport, self._client_is_sending)
        super().connection_made(cast("asyncio.Transport", self._lingering))
        self._coming.begin(self._limits.header_seconds, "slow header")
        if len(self.connections) > self._limits.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was awaited."""
        self._coming.end()
        self._taking.end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; the header of a request has to come in a given time, however it trickles."""
        if self._lingering.is_closing():
            return self._lingering.discard(data)
        super().data_received(data)
        if not self.awaits_request():
            self._coming.end()
        elif not self._coming.runs:
            self._coming.begin(self._limits.header_seconds, "slow header")
        return None

    def pause_writing(self) -> None:
        """The client does not take what it is sent: not for ever."""
        super().pause_writing()
        self._taking.begin(self._limits.answer_seconds, "slow reader")

    def resume_writing(self) -> None:
        """It does again."""
        self._taking.end()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.waits_since = self.loop.time()
        super().on_response_complete()
        # What nobody asked for would be read, and thrown away, for as long as it comes.
        if self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with what came, as JSON, with the status that the parser proposes."""
        self._refused("malformed")
        error = sys.exception()
        if not self.awaits_request():
            # The handler waits for the rest of a body that will not come.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            message = f"Expected a request of HTTP/1.1: {str(error or msg)[:80]}"
            self.transport.write(early_answer(self.conn, proposed_status(error), message))
        self.transport.close()

    def shutdown(self) -> None:
        """Leave, unless a request is on its way: its answer is the connection's last."""
        if self.awaits_request():
            self.loop.call_later(LAST_CHANCE, self._leave)
        else:
            super().shutdown()

    def awaits_request(self) -> bool:
        """Whether there is no request that has no answer yet."""
        return self.cycle is None or self.cycle.response_complete

    def awaits_client(self) -> bool:
        """Whether the client could go without losing an answer that is being computed."""
        return self.awaits_request() or self.cycle.more_body

    def _leave(self) -> None:
        if self.awaits_request():
            self.transport.close()

    def _make_room(self) -> None:
        others = [one for one in self.connections if isinstance(one, BoundedConnection) and one is not self]
        waiting = [one for one in others if one.awaits_client()]
        self._refused("connections")
        if waiting:
            longest = min(waiting, key=lambda one: (not one.awaits_request(), one.waits_since))
            longest.transport.abort()
            # The loop tells it later: of several clients that come at once, each takes another's place.
            self.connections.discard(longest)
        else:
            self.transport.write(early_answer(self.conn, 503, FULL))
            self.transport.close()

    def _client_is_sending(self) -> bool:
        unasked = self.conn.their_state is h11.IDLE and self.conn.our_state in (h11.DONE, h11.MUST_CLOSE)
        return unasked or self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def _give_up(self, reason: str) -> None:
        self._refused(reason)
        self.transport.abort()
