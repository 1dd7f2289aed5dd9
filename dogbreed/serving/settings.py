"""What a server allows and how it answers: the one place of serving that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Self

from dogbreed.data.photos import MAX_PIXELS
from dogbreed.errors import ConfigError
from dogbreed.serving.fetching.places import listed_place

PREFIX = "DOGBREED_"
# A photo of a phone has at most a half of that. Endpoints and batch transforms are told what they take when they are
# made, up to what `dogbreed.data.photos` reads.
DEFAULT_BYTES = 25 * 2**20
# What phones store at most as a rule (8192 x 6144), and 192 MiB in memory.
DEFAULT_PIXELS = 48 * 2**20


@dataclass(frozen=True)
class Settings:
    """Of a server.

    Attributes:
        fetch_hosts: from which photos are fetched when a request names a URL, each `name` or `name:port`; none at all
            if empty.
        max_bytes: of the body of a request, and of what all of its URLs hold together.
        max_pixels: of all photos of a request together, as they are in their files.
        max_photos: of a request.
        top_k: breeds in an answer, of each photo.
        backend: what the network runs on, a name of `dogbreed.models.network_path`; auto: the fastest exact one.

    Raises:
        ConfigError: a number out of its range, a host that is none.

    >>> Settings(max_photos=0)
    Traceback (most recent call last):
    dogbreed.errors.ConfigError: Expected max_photos to be from 1 to 1,024, got 0.
    """

    fetch_hosts: tuple[str, ...] = ()
    max_bytes: int = DEFAULT_BYTES
    max_pixels: int = DEFAULT_PIXELS
    max_photos: int = 64
    top_k: int = 5
    backend: str = "auto"

    def __post_init__(self) -> None:
        for name, most in LARGEST.items():
            if not 1 <= getattr(self, name) <= most:
                raise ConfigError(f"Expected {name} to be from 1 to {most:,}, got {getattr(self, name)}.")
        for host in self.fetch_hosts:
            listed_place(host)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """From `DOGBREED_MAX_BYTES` and its like; `DOGBREED_FETCH_HOSTS` separates its hosts by commas.

        Raises:
            ConfigError: a value that cannot be used.

        >>> Settings.from_environment({"DOGBREED_FETCH_HOSTS": "photos.example, cdn.example:8443"}).fetch_hosts
        ('photos.example', 'cdn.example:8443')
        """
        names = {field.name: PREFIX + field.name.upper() for field in fields(cls)}
        given = {name: environ[key].strip() for name, key in names.items() if environ.get(key, "").strip()}
        return cls(**{name: _read(name, text) for name, text in given.items()})


@cache
def process_settings() -> Settings:
    """Of this process, read once: what SageMaker's containers answer with.

    Raises:
        ConfigError: as `Settings.from_environment`.
    """
    return Settings.from_environment(os.environ)


LARGEST = {"max_bytes": 2**30, "max_pixels": MAX_PIXELS, "max_photos": 1024, "top_k": 1000}


def _read(name: str, text: str) -> Any:
    if name == "fetch_hosts":
        return tuple(host.strip() for host in text.split(",") if host.strip())
    return _whole(name, text) if name in LARGEST else text


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise ConfigError(f"Expected {PREFIX}{name.upper()} to be a whole number, got {text[:80]!r}.")
    return int(text)
