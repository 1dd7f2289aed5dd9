"""A host of photos for tests: real TLS on the loopback, under a name and with a certificate of that name."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv6Address

import trustme

from dogbreed.serving.fetching.allowance import Allowance
from dogbreed.serving.fetching.fetcher import Fetcher
from dogbreed.serving.fetching.places import listed_place
from dogbreed.serving.fetching.public_addresses import is_public

NAME = "photos.example"
# An address as a resolver could give it; the connection that the fetcher makes to it ends at the loopback.
PUBLIC = "93.184.216.34"
Conversation = Callable[[ssl.SSLSocket], None]


@dataclass
class Host:
    """What was asked of it, of a resolver, and what connections were made."""

    port: int
    authority: trustme.CA
    addresses: list[Sequence[str]] = field(default_factory=lambda: [[PUBLIC]])
    resolved: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    def resolve(self, host: str, port: int, allowance: Allowance) -> Sequence[str]:
        """The addresses of the first question, then of the next, the last for ever."""
        self.resolved.append(host)
        return self.addresses[min(len(self.resolved), len(self.addresses)) - 1]

    def connect(self, address: tuple[str, int], seconds: float) -> socket.socket:
        self.connected.append(address)
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def fetcher(
        self, *hosts: str, allowed: Callable[[IPv4Address | IPv6Address], bool] = is_public, trust: bool = True
    ) -> Fetcher:
        # With the checks of `ssl.create_default_context`, without reading the system's authorities.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if trust:
            self.authority.configure_trust(context)
        places = frozenset(listed_place(host) for host in hosts or (NAME,))
        return Fetcher(places, resolve=self.resolve, allowed=allowed, connect=self.connect, context=context)


def says(*answers: bytes) -> Conversation:
    """One answer for each connection in turn, the last for ever."""
    turn = iter(range(10_000))
    return lambda secured: secured.sendall(answers[min(next(turn), len(answers) - 1)])


def answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    named = {"Content_Type": "image/png", "Content_Length": str(len(body)), **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in named.items() if value)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str) -> bytes:
    return answer(b"", "302 Found", Location=location)


@cache
def certified(name: str) -> tuple[trustme.CA, ssl.SSLContext]:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return authority, context


@contextmanager
def tls_host(conversation: Conversation, name: str = NAME) -> Iterator[Host]:
    authority, context = certified(name)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = Host(listening.getsockname()[1], authority)
        thread = threading.Thread(target=_serve, args=(listening, context, conversation, host), daemon=True)
        thread.start()
        yield host
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _serve(listening: socket.socket, context: ssl.SSLContext, conversation: Conversation, host: Host) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        try:
            with plain, context.wrap_socket(plain, server_side=True) as secured:
                host.heard.append(secured.recv(65536))
                conversation(secured)
        # The other side hung up, or trusts nobody.
        except OSError:
            continue
