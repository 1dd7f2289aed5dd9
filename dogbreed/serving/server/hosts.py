"""Whom a request is for: a page of elsewhere may have had its name lead here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from dogbreed.serving.error import RequestError
from dogbreed.serving.server.refusing import refusal

LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANY = "*"


def allowed_hosts(host: str, address: str, more: Iterable[str] = ()) -> frozenset[str]:
    """The names by which a server is asked: any, unless it is for this machine alone.

    Args:
        host: as its owner wrote it.
        address: that it listens on; a host has many spellings.
        more: names.

    >>> sorted(allowed_hosts("Laptop", "127.0.1.1", ["dogs.example"]))
    ['127.0.0.1', '127.0.1.1', '::1', 'dogs.example', 'laptop', 'localhost']
    >>> allowed_hosts("0.0.0.0", "0.0.0.0")
    frozenset({'*'})
    """
    named = {name.strip().lower() for name in more} - {""}
    known = frozenset({*LOOPBACK, host.lower(), address, *named})
    return known if named or is_loopback(address) else frozenset({ANY})


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches it.

    >>> is_loopback("127.0.1.1"), is_loopback("::1"), is_loopback("::ffff:127.0.0.1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    found = ip_address(address)
    plain = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (plain or found).is_loopback


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
