"""Whom a request is for: a page of elsewhere may have had its name lead here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from dogbreed.serving.error import RequestError
from dogbreed.serving.server.refusing import refusal

LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANY = "*"


def allowed_hosts(host: str, more: Iterable[str] = ()) -> frozenset[str]:
    """The names by which a server that listens on `host` is asked: any, unless it is for this machine alone.

    >>> sorted(allowed_hosts("localhost", ["dogs.example"]))
    ['127.0.0.1', '::1', 'dogs.example', 'localhost']
    >>> allowed_hosts("0.0.0.0")
    frozenset({'*'})
    """
    named = {name.strip().lower() for name in more} - {""}
    if is_loopback(host):
        return frozenset({*LOOPBACK, host, *named})
    return frozenset({*LOOPBACK, host, *named} if named else {ANY})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("127.evil.example")
    (True, False, False)
    """
    return host in LOOPBACK or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def host_name(header: str) -> str:
    """The name in a Host header, without its port.

    >>> host_name("LOCALHOST:8080"), host_name("[::1]:8080"), host_name("dogs.example")
    ('localhost', '::1', 'dogs.example')
    """
    return re.sub(r":\d*$", "", header.strip().lower()).strip("[]")


class KnownHosts:
    """Refuses a request that was meant for another server.

    Args:
        app: what answers.
        allowed: from `allowed_hosts`.
    """

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self._app, self._allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        named = host_name(Headers(scope=scope).get("host", ""))
        if ANY in self._allowed or named in self._allowed:
            return await self._app(scope, receive, send)
        message = f"Expected a request for {', '.join(sorted(self._allowed))}, got one for {named[:80]!r}."
        return await refusal(RequestError(421, message))(scope, receive, send)
