"""What decoding a file may cost beyond its pixels: a few bytes can ask for hours, and most decoders comply."""

from __future__ import annotations

import io
from collections.abc import Callable

from dogbreed.data.costly_error import CostlyError
from dogbreed.data.jpeg_costs import check_segments
from dogbreed.data.tag_costs import check_tags

# Plugins of Pillow read parts of a file one by one, in Python: a photo has some dozens, and a block of pixels for some
# thousands of bytes.
READS, BYTES_A_READ = 10_000, 512
# What is read twice is small: a file whose tags all point at the same megabytes would be read a thousand times.
TIMES, MORE_BYTES = 4, 2**20
# Each is unpacked, to at most a megabyte.
PROFILES = 8


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


def _check_profiles(content: bytes) -> None:
    if content.count(b"iCCP") > PROFILES:
        raise CostlyError(f"has more than {PROFILES} colour profiles")


CHECKS: dict[bytes, Callable[[bytes], None]] = {
    b"\xff\xd8": check_segments,
    b"\x89PNG": _check_profiles,
    b"II": check_tags,
    b"MM": check_tags,
}
