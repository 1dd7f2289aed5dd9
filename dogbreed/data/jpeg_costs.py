"""What a JPEG asks for: how often it passes over its pixels, and what its segments hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import JpegImagePlugin

from dogbreed.data.costly_error import CostlyError
from dogbreed.data.tag_costs import EXIF, check_exif

# Each scan of a progressive JPEG passes over all of its pixels, even if it says nothing of them: cameras and programs
# write about ten.
SCANS, SCANNED_PIXELS, MARKERS = 100, 2**31, 5_000
SCAN, SEQUENTIAL = b"\xda", {b"\xc0", b"\xc1", b"\xc9"}
FRAMES = {bytes([code]) for code in range(0xC0, 0xD0)} - {b"\xc4", b"\xc8", b"\xcc"}  # not: tables
APP1, MPF = b"\xe1", b"\xe2MPF\0"
CODE = re.compile(rb"\xff+([^\xff])", re.DOTALL)
PILLOWS: Mapping[int, tuple[Any, ...]] = JpegImagePlugin.MARKER
MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])", re.DOTALL)
ALONE = {0x01, 0xD8}
END = 0xD9


def check_scans(content: bytes, pixels: int) -> None:
    """That a JPEG of so many pixels does not pass over them more often than a photo's does.

    Raises:
        CostlyError: it does.
    """
    if not content.startswith(b"\xff\xd8") or _has_one_scan(content):
        return
    most = min(SCANS, SCANNED_PIXELS // max(pixels, 1))
    # What stands behind a photo (a film, in phones' moving photos) and inside its segments is no scan, though it can
    # look like one: few photos need the closer look.
    if content.count(b"\xff\xda") > most and _scans(content) > most:
        raise CostlyError(f"has more than {most} scans for its pixels")


def _has_one_scan(content: bytes) -> bool:
    """Whether it is sequential, with all of its colours in the first scan: its decoder then refuses a second one."""
    segments = dict(_segments(content))
    frames = [segment[5:6] for name, segment in segments.items() if name in FRAMES]
    return frames == [segments.get(SCAN, b"")[:1]] and not segments.keys().isdisjoint(SEQUENTIAL)


def _scans(content: bytes) -> int:
    found = 0
    for number, marker in enumerate(_markers(content)):
        if number > MARKERS:
            raise CostlyError("has too many parts for a photo")
        found += marker == SCAN[0]
    return found


def _markers(content: bytes) -> Iterator[int]:
    """The markers of a JPEG up to its end, as its decoder finds them: data of a scan has none, segments are passed."""
    position = 2
    while (match := MARKER.search(content, position)) and match[1][0] != END:
        yield match[1][0]
        length = int.from_bytes(content[match.end() : match.end() + 2], "big")
        position = match.end() + (0 if match[1][0] in ALONE else length)


def check_segments(content: bytes) -> None:
    """As `check_exif`, of what is in a JPEG's segments; Pillow reads it when it opens a photo.

    Raises:
        CostlyError: as there.
    """
    blocks = []
    for name, segment in _segments(content):
        if name == MPF[:1] and segment.startswith(MPF[1:]):
            check_exif(segment[len(MPF) - 1 :])
        if name == APP1 and segment.startswith(EXIF):
            blocks.append(segment.removeprefix(EXIF))
    check_exif(b"".join(blocks))


def _segments(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The segments up to the head of the first scan, as Pillow finds them."""
    position, parts, name = 2, 0, b""
    while name != SCAN and (match := CODE.search(content, position)):
        name, position, parts = match[1], match.end(), parts + 1
        code = 0xFF00 + name[0]
        if parts > MARKERS:
            raise CostlyError("has too many parts for a photo")
        if code != 0xFF00 and code not in PILLOWS:
            return
        if PILLOWS.get(code, ("", "", None))[2] is not None:
            end = position + max(2, int.from_bytes(content[position : position + 2], "big"))
            yield name, content[position + 2 : end]
            position = end
