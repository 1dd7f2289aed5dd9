"""What decoding a file may cost beyond its pixels: a few bytes can ask for hours, and most decoders comply."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator

# Plugins of Pillow read parts of a file one by one, in Python: a photo has some dozens, and a block of pixels for some
# thousands of bytes.
READS, BYTES_A_READ = 10_000, 512
# What is read twice is small: a file whose tags all point at the same megabytes would be read a thousand times.
TIMES, MORE_BYTES = 4, 2**20
# Each scan of a progressive JPEG passes over all of its pixels, even if it says nothing of them: cameras and programs
# write about ten.
SCANS, SCANNED_PIXELS, MARKERS = 100, 2**31, 5_000
# Each is unpacked, to at most a megabyte.
PROFILES = 8
STRIPS = 100_000
TEXTS = (1, 2, 6, 7)  # types of TIFF's tags that stay bytes
TILE_PIXELS = 2**24
TILE_SIDES, SIDES = (322, 323), {3: "H", 4: "I"}

MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
ALONE = {0x01, 0xD8}
START_OF_SCAN, END = 0xDA, 0xD9


class CostlyError(Exception):
    """Decoding would cost far more than a photo's does; says why, as the end of a sentence that names the photo."""


class CountedFile(io.BytesIO):
    """A file in memory that can be read as often as a photo has to be.

    >>> CountedFile(b"abc").read()
    b'abc'
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._reads = READS + len(content) // BYTES_A_READ
        self._bytes = TIMES * len(content) + MORE_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """As any file.

        Raises:
            CostlyError: too many parts, or the same ones too often.
        """
        found = super().read(size)
        self._reads -= 1
        self._bytes -= len(found)
        if self._reads < 0 or self._bytes < 0:
            raise CostlyError("has too many parts for a photo")
        return found


def check_parts(content: bytes) -> None:
    """That no part of a file is costly by itself, before it is opened.

    Raises:
        CostlyError: one is.
    """
    for start, check in CHECKS.items():
        if content.startswith(start):
            check(content)


def check_scans(content: bytes, pixels: int) -> None:
    """That a JPEG of so many pixels does not pass over them more often than a photo's does.

    Raises:
        CostlyError: it does.
    """
    most = min(SCANS, SCANNED_PIXELS // max(pixels, 1))
    # Most photos have one, and need no closer look. What stands behind a photo (a film, in phones' moving photos) and
    # inside its segments is no scan, though it can look like one.
    if content.startswith(b"\xff\xd8") and content.count(b"\xff\xda") > most and _scans(content) > most:
        raise CostlyError(f"has more than {most} scans for its pixels")


def _scans(content: bytes) -> int:
    found = 0
    for number, marker in enumerate(_markers(content)):
        if number > MARKERS:
            raise CostlyError("has too many parts for a photo")
        found += marker == START_OF_SCAN
    return found


def _markers(content: bytes) -> Iterator[int]:
    """The markers of a JPEG up to its end, as its decoder finds them: data of a scan has none, segments are passed."""
    position = 2
    while (match := MARKER.search(content, position)) and match[1][0] != END:
        yield match[1][0]
        length = int.from_bytes(content[match.end() : match.end() + 2], "big")
        position = match.end() + (0 if match[1][0] in ALONE else length)


def _check_profiles(content: bytes) -> None:
    if content.count(b"iCCP") > PROFILES:
        raise CostlyError(f"has more than {PROFILES} colour profiles")


def _check_tags(content: bytes) -> None:
    """That no tag of a TIFF's first directory lists more than a photo has, and that no tile is larger than one."""
    order, big = "<" if content.startswith(b"II") else ">", content[2:4] in (b"+\0", b"\0+")
    area = 1
    for tag, kind, count, value in _tags(content, order, "QQHHQ8s" if big else "IHHHI4s", 8 if big else 4):
        if kind not in TEXTS and count > STRIPS:
            raise CostlyError(f"lists more than {STRIPS:,} pieces")
        if tag in TILE_SIDES:
            # Elsewhere than here, or in other types, they would have to be followed as the decoder does.
            area *= struct.unpack_from(order + SIDES[kind], value)[0] if kind in SIDES and count == 1 else TILE_PIXELS
    if area > TILE_PIXELS:
        raise CostlyError(f"has tiles of more than {TILE_PIXELS:,} pixels")


def _tags(content: bytes, order: str, form: str, pointer: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Each tag's number, type, count and value, as far as they are there."""
    tag = struct.Struct(order + form[2:])
    try:
        (start,) = struct.unpack_from(order + form[0], content, pointer)
        (many,) = struct.unpack_from(order + form[1], content, start)
    except (struct.error, OverflowError):
        return
    first = start + struct.calcsize(order + form[1])
    listed = content[first : first + tag.size * min(many, 2**16)]
    yield from tag.iter_unpack(listed[: len(listed) // tag.size * tag.size])


CHECKS: dict[bytes, Callable[[bytes], None]] = {
    b"\x89PNG": _check_profiles,
    b"II": _check_tags,
    b"MM": _check_tags,
}
