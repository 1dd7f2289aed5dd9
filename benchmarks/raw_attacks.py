"""What a client can do to an HTTP server below HTTP: what each attack sends, over a plain socket."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST /invocations HTTP/1.1\r\n" + HOST
JPEG = b"Content-Type: image/jpeg\r\n"
QUIET_SECONDS = 3.0


@dataclass(frozen=True)
class Attack:
    """Pieces that are sent, so many seconds apart; `half_closed`: then says that there is no more."""

    pieces: tuple[bytes, ...]
    pause: float = 0.0
    half_closed: bool = False


def _body(headers: bytes, body: bytes = b"") -> Attack:
    return Attack((POST + JPEG + headers + b"\r\n" + body,))


def _line(line: bytes) -> Attack:
    return Attack((line,))


CHUNKED = b"Transfer-Encoding: chunked\r\n"
ATTACKS: dict[str, Callable[[], Attack]] = {
    "a header of a megabyte": lambda: _body(b"a: " + b"b" * 2**20 + b"\r\n"),
    "ten thousand headers": lambda: _body(b"a: b\r\n" * 10_000),
    "headers without an end": lambda: Attack((POST, *[b"a: " + b"b" * 60_000 + b"\r\n"] * 200)),
    "a header's name of a megabyte": lambda: _body(b"a" * 2**20 + b": b\r\n"),
    "a URL of a megabyte": lambda: _line(b"GET /" + b"a" * 2**20 + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a header byte by byte": lambda: Attack((POST, *[b"a"] * 8), 0.3),
    "a body byte by byte": lambda: Attack((POST + JPEG + b"Content-Length: 100000\r\n\r\n", *[b"\xff"] * 8), 0.3),
    "half a body": lambda: Attack((POST + JPEG + b"Content-Length: 100000\r\n\r\n" + b"x" * 50_000,), half_closed=True),
    "no body": lambda: Attack((POST + JPEG + b"Content-Length: 100000\r\n\r\n",), half_closed=True),
    "half a request": lambda: Attack((POST[:20],), half_closed=True),
    "nothing": lambda: Attack((), half_closed=True),
    "more body than is said": lambda: _body(b"Content-Length: 3\r\n", b"x" * 5000),
    "a body of a terabyte": lambda: _body(b"Content-Length: 1000000000000\r\n", b"x" * 100_000),
    "a length of many digits": lambda: _body(b"Content-Length: " + b"9" * 5000 + b"\r\n"),
    "a negative length": lambda: _body(b"Content-Length: -1\r\n"),
    "a length with a sign": lambda: _body(b"Content-Length: +3\r\n", b"abc"),
    "a length in letters": lambda: _body(b"Content-Length: three\r\n"),
    "two lengths": lambda: _body(b"Content-Length: 3\r\nContent-Length: 4\r\n", b"abcd"),
    "a length and chunks": lambda: _body(b"Content-Length: 3\r\n" + CHUNKED, b"0\r\n\r\nGET /ping HTTP/1.1\r\n"),
    "chunks of letters": lambda: _body(CHUNKED, b"zz\r\nabc\r\n"),
    "a chunk of a terabyte": lambda: _body(CHUNKED, b"ffffffffff\r\n" + b"x" * 100_000),
    "a chunk with many digits": lambda: _body(CHUNKED, b"f" * 5000 + b"\r\n"),
    "a negative chunk": lambda: _body(CHUNKED, b"-5\r\nabc\r\n"),
    "a chunk's extension": lambda: _body(CHUNKED, b"1;" + b"a" * 2**20 + b"\r\nx\r\n0\r\n\r\n"),
    "a million chunks": lambda: _body(CHUNKED, b"1\r\nx\r\n" * 10**6 + b"0\r\n\r\n"),
    "chunks without an end": lambda: Attack(
        (POST + JPEG + CHUNKED + b"\r\n", *[b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 600)
    ),
    "trailers": lambda: _body(CHUNKED, b"0\r\n" + b"a: b\r\n" * 100_000 + b"\r\n"),
    "an unknown encoding": lambda: _body(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "two encodings": lambda: _body(CHUNKED + b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "HTTP/0.9": lambda: _line(b"GET /ping\r\n"),
    "HTTP/9.9": lambda: _line(b"GET /ping HTTP/9.9\r\n" + HOST + b"\r\n"),
    "HTTP/2": lambda: _line(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": lambda: _line(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(200)),
    "noise": lambda: _line(bytes(range(256)) * 40),
    "zeros": lambda: _line(bytes(100_000)),
    "line feeds alone": lambda: _line(b"GET /ping HTTP/1.1\nHost: 127.0.0.1\n\n"),
    "a blank before a colon": lambda: _body(b"Content-Length : 3\r\n", b"abc"),
    "a folded header": lambda: _body(b"a: b\r\n c\r\nContent-Length: 0\r\n"),
    "a zero in a header": lambda: _body(b"a: b\0c\r\nContent-Length: 0\r\n"),
    "no host": lambda: _line(b"GET /ping HTTP/1.1\r\n\r\n"),
    "two hosts": lambda: _line(b"GET /ping HTTP/1.1\r\n" + HOST * 2 + b"\r\n"),
    "another's host": lambda: _line(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    "an expectation": lambda: _body(b"Expect: 100-continue\r\nContent-Length: 99999999999\r\n"),
    "an upgrade": lambda: _line(
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ),
    "an absolute URL": lambda: _line(b"GET http://169.254.169.254/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a path above": lambda: _line(b"GET /../../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a path of bytes": lambda: _line(b"GET /%ff%00%c0%af?%zz HTTP/1.1\r\n" + HOST + b"\r\n"),
    **{
        f"the method {name}": lambda name=name: _line(f"{name} /invocations HTTP/1.1\r\n".encode() + HOST + b"\r\n")  # type: ignore[misc]
        for name in ("TRACE", "CONNECT", "PUT", "DELETE", "OPTIONS", "HEAD", "GET", "get", "M" * 5000)
    },
    "a hundred pipelined": lambda: _line((b"GET /ping HTTP/1.1\r\n" + HOST + b"\r\n") * 100),
    "ten thousand pipelined": lambda: _line((b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n") * 10_000),
    "no type": lambda: Attack((POST + b"Content-Length: 3\r\n\r\nabc",)),
    "types twice": lambda: _body(b"Content-Type: application/json\r\nContent-Length: 2\r\n", b"{}"),
    "bytes for a type": lambda: Attack(
        (POST + b"Content-Type: \xff\xfe\r\nAccept: \xc3\r\nContent-Length: 3\r\n\r\nabc",)
    ),
    "a stray query": lambda: Attack(
        (b"POST /explain?index=99999999999999999999 HTTP/1.1\r\n" + HOST + JPEG + b"Content-Length: 3\r\n\r\nabc",)
    ),
    "another query": lambda: Attack(
        (b"POST /explain?index=%ff&index=-1 HTTP/1.1\r\n" + HOST + JPEG + b"Content-Length: 3\r\n\r\nabc",)
    ),
}


def statuses(attack: Attack, address: tuple[str, int]) -> list[int]:
    """Of the answers that came before the server hung up, or was quiet for some seconds."""
    with socket.create_connection(address, 20) as connection:
        # It may have been refused, and the connection ended, before all was sent.
        with contextlib.suppress(OSError):
            _send(connection, attack)
        return [int(status) for status in STATUS.findall(b"".join(_heard(connection)))]


def _send(connection: socket.socket, attack: Attack) -> None:
    for piece in attack.pieces:
        connection.sendall(piece)
        time.sleep(attack.pause)
    if attack.half_closed:
        connection.shutdown(socket.SHUT_WR)


def _heard(connection: socket.socket) -> Iterator[bytes]:
    connection.settimeout(QUIET_SECONDS)
    with contextlib.suppress(OSError):
        while heard := connection.recv(2**16):
            yield heard


def hang_up(address: tuple[str, int], clients: int) -> None:
    """So many clients ask, and leave without waiting."""
    for _ in range(clients):
        with contextlib.suppress(OSError), socket.create_connection(address, 20) as connection:
            connection.sendall(POST + JPEG + b"Content-Length: 100000\r\n\r\n" + b"x" * 50_000)
