"""What is said to a client that sent no request that could be answered."""

from __future__ import annotations

import http

import h11
from starlette.responses import JSONResponse

from dogbreed.serving.server.refusing import RETRY_AFTER

CLOSE = {"connection": "close"}


def early_answer(connection: h11.Connection, status: int, message: str) -> bytes:
    """A connection's last words: a sentence, as JSON."""
    headers = {**CLOSE, **(RETRY_AFTER if status == 503 else {})}
    answer = JSONResponse({"error": message}, status, headers=headers)
    reason = http.HTTPStatus(status).phrase.encode()
    response = h11.Response(status_code=status, headers=answer.raw_headers, reason=reason)
    events = (response, h11.Data(bytes(answer.body)), h11.EndOfMessage())
    return b"".join(connection.send(event) or b"" for event in events)


def proposed_status(error: BaseException | None) -> int:
    """The status that h11 proposes, of those that blame the client: it has a 501 for an unknown transfer encoding.

    >>> proposed_status(h11.RemoteProtocolError("", error_status_hint=431)), proposed_status(None)
    (431, 400)
    >>> proposed_status(h11.RemoteProtocolError("", error_status_hint=501))
    400
    """
    proposed = getattr(error, "error_status_hint", 400)
    return proposed if 400 <= proposed < 500 else 400
