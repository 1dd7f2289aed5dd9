"""What is in every photo of a folder: each is opened once, and not again until it changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing.pool import ThreadPool
from pathlib import Path

from tqdm import tqdm

from dogbreed.atomic import atomic_write
from dogbreed.data.photos import Fault, PhotoError, decode, read
from dogbreed.data.quality import SIDE, PixelStatistics, pixel_statistics

# Count up when what is measured changes: older caches are then ignored.
VERSION = 2

# What a file was when it was scanned: its size in bytes and the time of its last change in ns.
Stamp = tuple[int, int]


@dataclass(frozen=True)
class PhotoFacts:
    """What one scan found in one file.

    `error` ends a sentence that begins with the file's name; `content` is the SHA-256 of the file's bytes, empty where
    they could not be read; width and height are the file's, before it is turned upright; `pixels` is None where there
    is an error.
    """

    error: str | None = None
    fault: Fault | None = None
    content: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    pixels: PixelStatistics | None = None


@dataclass(frozen=True)
class _Entry:
    stamp: Stamp
    facts: PhotoFacts


def scan(paths: Iterable[Path], *, cache: Path | None, num_workers: int | None = None) -> dict[Path, PhotoFacts]:
    """The facts of every photo, in the order of `paths`; those in the file `cache` are not found out again.

    Nothing is raised for a photo that cannot be used: its facts carry the error. A scan that is interrupted keeps in
    `cache` what it has found.
    """
    keys = {path: os.path.abspath(path) for path in paths}  # noqa: PTH100 - Path.absolute keeps `..`
    stamps = {path: _stamp(path) for path in keys}
    known = _load(cache)
    entries = {key: known[key] for p, key in keys.items() if key in known and known[key].stamp == stamps[p]}
    unknown = [path for path, key in keys.items() if key not in entries]
    try:
        for path, facts in _scanned(unknown, num_workers):
            entries[keys[path]] = _Entry(stamps[path], facts)
    finally:
        kept = _elsewhere(known, set(keys.values())) | entries
        if kept != known:
            _save(cache, kept)
    return {path: entries[key].facts for path, key in keys.items()}


def photo_facts(path: Path) -> PhotoFacts:
    """The facts of one photo."""
    content = ""
    try:
        file = read(path)
        content = hashlib.sha256(file).hexdigest()
        photo = decode(file, smallest_side=2 * SIDE)
    except PhotoError as fault:
        return PhotoFacts(str(fault), fault.fault, content)
    statistics = pixel_statistics(photo.image)
    return PhotoFacts(None, None, content, photo.format, photo.width, photo.height, statistics)


def _scanned(paths: list[Path], num_workers: int | None) -> Iterator[tuple[Path, PhotoFacts]]:
    if not paths:
        return
    # Threads are enough: Pillow lets go of the interpreter's lock while it decodes.
    with ThreadPool(min(num_workers or os.cpu_count() or 1, len(paths))) as pool:
        found = pool.imap_unordered(lambda path: (path, photo_facts(path)), paths)
        yield from tqdm(found, "Checking photos", len(paths), unit=" images", disable=None)


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return (-1, -1)
    return (status.st_size, status.st_mtime_ns)


def _elsewhere(known: dict[str, _Entry], scanned: set[str]) -> dict[str, _Entry]:
    """What the cache knows of photos that are not part of this scan and still exist."""
    return {key: entry for key, entry in known.items() if key not in scanned and Path(key).exists()}


def _load(cache: Path | None) -> dict[str, _Entry]:
    """What the cache knows: nothing if it is missing, damaged or of another version."""
    if cache is None:
        return {}
    try:
        header, body = cache.read_bytes().split(b"\n", 1)
        if header != _header(body):
            return {}
        return {key: _entry(value) for key, value in json.loads(body).items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _entry(value: dict[str, dict[str, object]]) -> _Entry:
    size, changed = value["stamp"]
    facts = dict(value["facts"])
    pixels = facts.pop("pixels")
    statistics = PixelStatistics(**pixels) if isinstance(pixels, dict) else None
    return _Entry((int(size), int(changed)), PhotoFacts(**facts, pixels=statistics))  # type: ignore[arg-type]


def _save(cache: Path | None, entries: dict[str, _Entry]) -> None:
    if cache is None:
        return
    body = json.dumps({key: asdict(entry) for key, entry in entries.items()}).encode()
    # Without the cache the next scan takes longer, that is all.
    with contextlib.suppress(OSError), atomic_write(cache) as file:
        file.write(_header(body) + b"\n" + body)


def _header(body: bytes) -> bytes:
    return f"dogbreed scan {VERSION} {hashlib.sha256(body).hexdigest()}".encode()
