"""What every answer has in common: headers, a line in the log, its place in the figures."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dogbreed.serving.server.metrics import Metrics
from dogbreed.serving.server.refusing import refusal
from dogbreed.serving.server.request_log import LOGGER, media_type

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass
class Exchange:
    """One request and its answer, as they pass."""

    receive_next: Receive
    send_next: Send
    last: Callable[[], bool]
    has_body: bool
    number: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: float = field(default_factory=time.perf_counter)
    bytes: int = 0
    status: int = 0

    async def receive(self) -> Message:
        """Count a part of the body."""
        message = await self.receive_next()
        self.bytes += len(message.get("body", b""))
        self.has_body = self.has_body and message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Add what every answer's header has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.number
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            # The rest of a body that nobody reads would be taken for the next request; a server that stops has none.
            if self.has_body or self.last():
                headers["connection"] = "close"
        await self.send_next(message)


class Observed:
    """Answers whatever happens, and says so.

    Args:
        app: what answers.
        metrics: of the server.
        routes: the paths that there are.
        last: whether connections are to end with their next answer.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Collection[str], last: Callable[[], bool]) -> None:
        self._app, self._metrics, self._routes, self._last = app, metrics, frozenset(routes), last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        headers = Headers(scope=scope)
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        exchange = Exchange(receive, send, self._last, has_body)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:
            LOGGER.exception("fault", extra={"fields": {"id": exchange.number}})
            if not exchange.status:
                await refusal(error)(scope, exchange.receive, exchange.send)
        finally:
            self._note(scope, exchange, media_type(headers.get("content-type")))

    def _note(self, scope: Scope, exchange: Exchange, media: str) -> None:
        seconds, photos = time.perf_counter() - exchange.started, scope.get("state", {}).get("photos", 0)
        route = scope["path"] if scope["path"] in self._routes else "other"
        self._metrics.request(route, exchange.status, seconds, photos)
        fields = {
            "id": exchange.number,
            "route": route,
            "status": exchange.status,
            "milliseconds": round(1000 * seconds, 2),
            "bytes": exchange.bytes,
            "media": media,
            "photos": photos,
        }
        LOGGER.info("request", extra={"fields": fields})
