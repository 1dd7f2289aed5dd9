"""Where a photo may be fetched from, and the URL that says where: what is not plainly written is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dogbreed.errors import ConfigError
from dogbreed.serving.error import RequestError

HTTPS = 443
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# A name with a dot whose last label begins with a letter: neither `localhost` nor any form of an address's digits.
NAME = rf"(?:{LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
HOST = rf"(?P<host>(?=.{{1,253}}(?::|/|$)){NAME})(?::(?P<port>[1-9][0-9]{{0,4}}))?"
# RFC 3986's characters of a path and a query, and no others; a fragment is never sent.
TARGET = r"(?P<target>/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)"
URL = re.compile(rf"https://{HOST}{TARGET}", re.ASCII)
LISTED = re.compile(HOST, re.ASCII)
MOST_CHARACTERS = 2048


@dataclass(frozen=True)
class Place:
    """A host by its name, and the port of its HTTPS."""

    host: str
    port: int = HTTPS

    def __str__(self) -> str:
        return self.host if self.port == HTTPS else f"{self.host}:{self.port}"


def listed_place(text: str) -> Place:
    """What an owner lists: `name` or `name:port`.

    Raises:
        ConfigError: something else, an address among others.

    >>> listed_place("photos.example:8443")
    Place(host='photos.example', port=8443)
    """
    match = LISTED.fullmatch(text)
    if not match or int(match["port"] or HTTPS) > 65535:
        raise ConfigError(
            f"Expected hosts to fetch from as name or name:port, with a dot and in small letters, got {text[:80]!r}."
        )
    return Place(match["host"], int(match["port"] or HTTPS))


def place_and_target(url: str) -> tuple[Place, str]:
    """Of a URL: where it leads, and what is asked for there.

    Raises:
        RequestError: no plain https URL of a named host.

    >>> place_and_target("https://photos.example/a%20b.jpg?size=2")
    (Place(host='photos.example', port=443), '/a%20b.jpg?size=2')
    """
    match = URL.fullmatch(url) if len(url) <= MOST_CHARACTERS else None
    if not match:
        raise RequestError(400, "Expected a URL as https://host/path, the host by its name in small letters.")
    return Place(match["host"], int(match["port"] or HTTPS)), match["target"]
