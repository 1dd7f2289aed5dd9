"""One question and its answer over a connection to an address that was checked."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from dogbreed.serving.fetching.allowance import Allowance, AllowedReader, OverBytesError
from dogbreed.serving.fetching.places import Place

# What S3 says of a file whose type it was not told. What came is looked at in any case.
UNTYPED = ("application/octet-stream", "binary/octet-stream")
REDIRECTS = (301, 302, 303, 307, 308)


class NoPhotoError(Exception):
    """An answer that holds no photo: says what was expected."""


@dataclass(frozen=True)
class Answer:
    """Of a host: a photo's bytes, or where else it is."""

    photo: bytes = b""
    elsewhere: str | None = None


def ask(connected: socket.socket, place: Place, target: str, allowance: Allowance, context: ssl.SSLContext) -> Answer:
    """Ask for a photo; the certificate must be of the host's name, whatever address it is connected to.

    Raises:
        NoPhotoError: the host answers with something else.
        OSError: TLS fails, time or bytes run out.
        http.client.HTTPException: this is no HTTP.
    """
    connected.settimeout(allowance.seconds_left())
    with context.wrap_socket(connected, server_hostname=place.host) as secured:
        connection = http.client.HTTPSConnection(place.host, place.port, context=context)
        connection.sock = _Allowed(secured, allowance)
        headers = {"Host": str(place), "Accept": "image/*", "User-Agent": "dogbreed", "Connection": "close"}
        connection.request("GET", target, headers=headers)
        with connection.getresponse() as response:
            return _answer(response, allowance)


def _answer(response: http.client.HTTPResponse, allowance: Allowance) -> Answer:
    if response.status in REDIRECTS:
        return Answer(elsewhere=response.getheader("Location") or "")
    _check(response)
    photo = response.read(allowance.bytes_left + 1)
    if len(photo) > allowance.bytes_left:
        raise OverBytesError
    # `read` with a size says nothing of an end that came too early.
    if response.length:
        raise http.client.IncompleteRead(b"")
    allowance.bytes_left -= len(photo)
    return Answer(photo)


def _check(response: http.client.HTTPResponse) -> None:
    media = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
    if response.status != http.client.OK:
        raise NoPhotoError("Expected the host to answer with the photo and status 200.")
    if not media.startswith("image/") and media not in UNTYPED:
        raise NoPhotoError("Expected the host to answer with an image's content type.")
    if response.getheader("Content-Encoding", "identity").strip().lower() != "identity":
        raise NoPhotoError("Expected the host to answer without a content encoding.")


class _Allowed:
    """A socket as `http.client` uses it, within an allowance."""

    def __init__(self, secured: ssl.SSLSocket, allowance: Allowance) -> None:
        self._secured, self._allowance = secured, allowance

    def sendall(self, content: bytes) -> None:
        self._secured.settimeout(self._allowance.seconds_left())
        self._secured.sendall(content)

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(AllowedReader(self._secured, self._allowance))

    def close(self) -> None:
        """Nothing: `http.client` closes a connection that it still reads an answer from."""
