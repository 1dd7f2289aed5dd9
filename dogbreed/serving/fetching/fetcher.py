"""Fetches a photo by its URL from a listed host, at an address that was checked, and at no other."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPException
from urllib.parse import urljoin

from dogbreed.serving.error import RequestError
from dogbreed.serving.fetching.allowance import Allowance, OverBytesError
from dogbreed.serving.fetching.answer import Answer, NoPhotoError, ask
from dogbreed.serving.fetching.places import Place, listed_place, place_and_target
from dogbreed.serving.fetching.public_addresses import Address, addresses, is_public
from dogbreed.serving.fetching.resolving import resolve

REDIRECTS = 3
# Where nobody says how many threads there are.
AT_ONCE = max(1, min(4, os.cpu_count() or 1) // 2)
ADDRESSES = 4


@dataclass(frozen=True)
class Fetcher:
    """Fetches from `places`.

    A host is resolved once for each question, every address it has must be public, and the connection goes to one of
    those very addresses, with a certificate of the host's name. Neither proxies nor cookies are used.

    Attributes:
        places: the only ones that are asked, redirects included.
        resolve: a host's addresses, as text, by its name, port and what time there is.
        allowed: whether an address may be connected to.
        connect: to an address and port, within so many seconds.
        context: of TLS.
        turns: one for each of the photos that are fetched at once.
    """

    places: frozenset[Place]
    resolve: Callable[[str, int, Allowance], Sequence[str]] = resolve
    allowed: Callable[[Address], bool] = is_public
    connect: Callable[[tuple[str, int], float], socket.socket] = socket.create_connection
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def fetch(self, url: str, allowance: Allowance) -> bytes:
        """The photo's bytes.

        Raises:
            RequestError: 400 for a URL that is not fetched, 413 for too many bytes, 424 for a host that gives no
                photo, 429 while too many photos are being fetched.
        """
        question = self._question(url)
        if not self.turns.acquire(blocking=False):
            raise RequestError(429, "Expected fewer photos to be fetched at once: try again.")
        try:
            return self._followed(url, question, allowance)
        finally:
            self.turns.release()

    def _followed(self, url: str, question: tuple[Place, str], allowance: Allowance) -> bytes:
        for _ in range(REDIRECTS + 1):
            with _only_request_errors(question[0]):
                answer = self._answer(*question, allowance)
                if answer.elsewhere is None:
                    return answer.photo
                url = urljoin(url, answer.elsewhere)
            question = self._question(url)
        raise RequestError(424, f"Expected at most {REDIRECTS} redirects.")

    def _question(self, url: str) -> tuple[Place, str]:
        place, target = place_and_target(url)
        if place not in self.places:
            raise RequestError(400, "Expected a URL of a host that this server's owner lists.")
        return place, target

    def _answer(self, place: Place, target: str, allowance: Allowance) -> Answer:
        found = addresses(self.resolve(place.host, place.port, allowance))
        if not found or not all(self.allowed(address) for address in found):
            raise RequestError(400, f"Expected {place.host} to be a host of the public internet.")
        with self._connected(found[:ADDRESSES], place.port, allowance) as connected:
            return ask(connected, place, target, allowance, self.context)

    def _connected(self, found: Sequence[Address], port: int, allowance: Allowance) -> socket.socket:
        first, *others = found
        try:
            return self.connect((str(first), port), allowance.seconds_left() / len(found))
        except OSError:
            if not others:
                raise
            return self._connected(others, port, allowance)


@contextmanager
def _only_request_errors(place: Place) -> Iterator[None]:
    # What went wrong stays here: it would tell a stranger what there is behind a name.
    try:
        yield
    except RequestError:
        raise
    except OverBytesError:
        raise RequestError(413, "Expected a smaller photo at the URL.") from None
    except NoPhotoError as error:
        raise RequestError(424, str(error)) from None
    except TimeoutError:
        raise RequestError(424, f"Expected {place.host} to give the photo sooner.") from None
    except (OSError, HTTPException, ValueError):
        raise RequestError(424, f"Expected {place.host} to give a photo, and it could not be asked.") from None


@lru_cache(4)
def fetcher_of(hosts: tuple[str, ...], at_once: int = AT_ONCE) -> Fetcher:
    """The fetcher of the hosts that `Settings` lists, of so many photos at once.

    Raises:
        ConfigError: one of them is no host.
    """
    places = frozenset(listed_place(host) for host in hosts)
    return Fetcher(places, turns=threading.BoundedSemaphore(at_once))
