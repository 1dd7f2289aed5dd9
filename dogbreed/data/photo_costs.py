"""What decoding a file may cost beyond its pixels: a few bytes can ask for hours, and most decoders comply."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from PIL import JpegImagePlugin

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
# Of a tag's values, in bytes, by their type.
UNITS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
SLACK = 2**16  # what a sound block may count twice
TEXTS = (1, 2, 6, 7)  # types of TIFF's tags that stay bytes
TILE_PIXELS = 2**24
TILE_SIDES, SIDES = (322, 323), {3: "H", 4: "I"}

EXIF, APP1, MPF = b"Exif\0\0", b"\xe1", b"\xe2MPF\0"
CODE = re.compile(rb"\xff+([^\xff])", re.DOTALL)
PILLOWS: Mapping[int, tuple[Any, ...]] = JpegImagePlugin.MARKER
MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])", re.DOTALL)
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
    area = 1
    for tag, kind, count, value in _tags(content):
        if kind not in TEXTS and count > STRIPS:
            raise CostlyError(f"lists more than {STRIPS:,} pieces")
        if tag in TILE_SIDES:
            # Elsewhere than here, or in other types, they would have to be followed as the decoder does.
            order = _order(content)
            area *= struct.unpack_from(order + SIDES[kind], value)[0] if kind in SIDES and count == 1 else TILE_PIXELS
    if area > TILE_PIXELS:
        raise CostlyError(f"has tiles of more than {TILE_PIXELS:,} pixels")


def check_exif(block: bytes) -> None:
    """That the tags of an EXIF block are no more than it is: Pillow before version 13 copies what each points to.

    Raises:
        CostlyError: they are.
    """
    while block.startswith(EXIF):
        block = block.removeprefix(EXIF)
    if sum(count * UNITS.get(kind, 0) for _, kind, count, _ in _tags(block)) > len(block) + SLACK:
        raise CostlyError("has tags that are more than their block")


def _check_segments(content: bytes) -> None:
    """As `check_exif`, of what is in a JPEG's segments; Pillow reads it when it opens a photo."""
    whole = b""
    for name, segment in _segments(content):
        if name == MPF[:1] and segment.startswith(MPF[1:]):
            check_exif(segment[len(MPF) - 1 :])
        if name == APP1 and segment.startswith(EXIF):
            whole += segment.removeprefix(EXIF)
    check_exif(whole)


def _segments(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The segments before the first scan, as Pillow finds them."""
    position, parts = 2, 0
    while (match := CODE.search(content, position)) and match[1][0] != START_OF_SCAN and parts < MARKERS:
        code, position, parts = 0xFF00 + match[1][0], match.end(), parts + 1
        if code != 0xFF00 and code not in PILLOWS:
            return
        if PILLOWS.get(code, ("", "", None))[2] is not None:
            end = position + max(2, int.from_bytes(content[position : position + 2], "big"))
            yield match[1], content[position + 2 : end]
            position = end


def _order(content: bytes) -> str:
    return "<" if content.startswith(b"II") else ">"


def _tags(content: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Of a TIFF's first directory: each tag's number, type, count and value, as far as they are there."""
    order, big = _order(content), content[2:4] in (b"+\0", b"\0+")
    pointer, tags, tag = ("Q", "Q", "HHQ8s") if big else ("I", "H", "HHI4s")
    try:
        (start,) = struct.unpack_from(order + pointer, content, 8 if big else 4)
        (many,) = struct.unpack_from(order + tags, content, start)
    except (struct.error, OverflowError):
        return
    first, size = start + struct.calcsize(order + tags), struct.calcsize(order + tag)
    listed = content[first : first + size * min(many, 2**16)]
    yield from struct.iter_unpack(order + tag, listed[: len(listed) // size * size])


CHECKS: dict[bytes, Callable[[bytes], None]] = {
    b"\xff\xd8": _check_segments,
    b"\x89PNG": _check_profiles,
    b"II": _check_tags,
    b"MM": _check_tags,
}
