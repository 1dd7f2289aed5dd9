"""Refusals, as JSON: a sentence, and no more of what went wrong inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from dogbreed.errors import ConfigError, DataError
from dogbreed.serving.error import RequestError
from dogbreed.serving.server.admission import BusyError

RETRY_AFTER = {"retry-after": "1"}  # seconds
BUSY = "Busy: no more requests can wait at the moment."
FAULT = "The server failed. The fault is in its log."


def _as_request_error(error: Any) -> Response:
    return _sentence(error.status, str(error))


def _as_bad_request(error: Exception) -> Response:
    return _sentence(400, str(error))


def _as_http(error: Any) -> Response:
    return _sentence(error.status_code, f"{error.detail}.", error.headers)


def _as_busy(_: Exception) -> Response:
    return _sentence(503, BUSY, RETRY_AFTER)


def _as_gone(_: Exception) -> Response:
    # Nobody reads it; it is what the log and the figures say, as nginx does.
    return Response(status_code=499)


REFUSALS: dict[type[Exception], Callable[[Any], Response]] = {
    RequestError: _as_request_error,
    DataError: _as_bad_request,
    ConfigError: _as_bad_request,
    HTTPException: _as_http,
    BusyError: _as_busy,
    ClientDisconnect: _as_gone,
}


def refusal(error: Exception) -> Response:
    """What is answered in place of an answer; 500 for what is no refusal but a fault."""
    kinds = [REFUSALS[kind] for kind in type(error).__mro__ if kind in REFUSALS]
    return kinds[0](error) if kinds else _sentence(500, FAULT)


async def refuse(_: Request, error: Exception) -> Response:
    """`refusal`, as Starlette calls it."""
    return refusal(error)


def _sentence(status: int, message: str, headers: Any = None) -> Response:
    return JSONResponse({"error": message}, status, headers=headers)
