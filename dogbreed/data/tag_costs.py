"""What the tags of a TIFF, and of an EXIF block, which is one, ask for."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from dogbreed.data.costly_error import CostlyError

EXIF = b"Exif\0\0"
# Each of what a tag lists is made a number in Python, except of these types.
TEXTS, STRIPS = (1, 2, 6, 7), 100_000
TILE_PIXELS = 2**24
TILE_SIDES, SIDES = (322, 323), {3: "H", 4: "I"}
# Of a tag's values, in bytes, by their type.
UNITS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
# A damaged block in a sound photo may say anything of a few tags: a thousand times what a block has.
EXIF_BYTES = 2**26


def check_tags(content: bytes) -> None:
    """That no tag of a TIFF's first directory lists more than a photo has, and that no tile is larger than one.

    Raises:
        CostlyError: one is.
    """
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
    """That the tags of an EXIF block do not fill the memory: Pillow before version 13 copies what each points to.

    Raises:
        CostlyError: they are.
    """
    while block.startswith(EXIF):
        block = block.removeprefix(EXIF)
    if sum(min(count * UNITS.get(kind, 0), len(block)) for _, kind, count, _ in _tags(block)) > EXIF_BYTES:
        raise CostlyError("has EXIF tags that are all of its EXIF block")


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
