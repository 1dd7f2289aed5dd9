"""Files that are small, or sound, and that ask a decoder for far more than a photo does; each by what it asks for."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")


def saved(photo: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    photo.save(file, kind, **options)
    return file.getvalue()


def jpeg(*segments: bytes) -> bytes:
    """A photo with something before everything else."""
    sound = saved(Image.new("RGB", (64, 64)), "JPEG")
    return sound[:2] + b"".join(segments) + sound[2:]


def app(number: int, content: bytes) -> bytes:
    return bytes([0xFF, 0xE0 + number]) + struct.pack(">H", len(content) + 2) + content


def scans(side: int, more: int) -> bytes:
    """A progressive JPEG whose last scan comes again, and again."""
    sound = saved(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last, end = sound.rindex(b"\xff\xda"), sound.rindex(b"\xff\xd9")
    return sound[:end] + sound[last:end] * more + sound[end:]


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *chunks: bytes, colour: int = 2, depth: int = 8, pixels: bytes | None = None) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    found = pixels if pixels is not None else b"\0" * (height * (width * 3 + 1))
    data = chunk(b"IDAT", zlib.compress(found, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + data + chunk(b"IEND", b"")


def gif(*extensions: bytes) -> bytes:
    """A photo with extensions before its first frame."""
    sound = saved(Image.new("P", (8, 8)), "GIF")
    start = 13 + (3 << ((sound[10] & 7) + 1) if sound[10] & 128 else 0)
    return sound[:start] + b"".join(extensions) + sound[start:]


def bmp(side: int, compression: int, rows: bytes) -> bytes:
    sizes = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, compression, len(rows), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(rows), 0, 0, 1078) + sizes + b"\0" * 1024 + rows


Tag = tuple[int, int, int, int]


def tiff(*tags: Tag, behind: bytes = b"", order: str = "<") -> bytes:
    """Each tag's number, type, count and value; a value of `BEHIND` is where the content behind them begins."""
    start = 14 + 12 * len(tags)
    found = [(number, kind, count, start if value == BEHIND else value) for number, kind, count, value in sorted(tags)]
    magic = b"II*\0\x08\0\0\0" if order == "<" else b"MM\0*\0\0\0\x08"
    listed = b"".join(struct.pack(order + "HHII", *tag) for tag in found)
    return magic + struct.pack(order + "H", len(tags)) + listed + b"\0" * 4 + behind


BEHIND = -1
GREY = ((258, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1))


def exif_that_reads_itself_again(entries: int) -> bytes:
    return tiff(*((number, 7, 4000, 0) for number in range(entries)))


BLOCK = tiff(*((number, 7, 399_000, 900) for number in range(200)), behind=bytes(400_000))
BLOCKS = range(0, len(BLOCK), 65_000)


def sides(width: int, height: int) -> tuple[Tag, Tag]:
    return (256, 4, 1, width), (257, 4, 1, height)


# What each asks for is more than a photo may have; a few of them megabytes long, as they have to be.
COSTLY: dict[str, Callable[[], bytes]] = {
    "a thousand scans": lambda: scans(512, 1000),
    "segments of nothing": lambda: jpeg(b"\xff\xe5\0\2" * 200_000),
    "fill bytes": lambda: jpeg(b"\xff" * 200_000),
    "many EXIF blocks": lambda: jpeg(app(1, b"Exif\0\0x") * 40_000),
    "chunks of nothing": lambda: png(8, 8, chunk(b"abCd", b"") * 100_000),
    "pixels in chunks of nothing": lambda: png(8, 8, chunk(b"IDAT", b"") * 100_000),
    "many colour profiles": lambda: png(8, 8, chunk(b"iCCP", b"a\0\0" + zlib.compress(b"\0" * 10**6, 9)) * 30),
    "a bomb by its sides": lambda: png(0x7FFFFFFF, 0x7FFFFFFF, pixels=b"\0" * 10),
    "a bomb by its pixels": lambda: png(29_000, 29_000, pixels=b"\0" * 10**6),
    "comments": lambda: gif(b"\x21\xfe\1c\0" * 100_000),
    "run lengths": lambda: bmp(8000, 1, b"\1\0\0\0" * 8000),
    "a list of strips": lambda: tiff(
        *sides(4000, 4000), *GREY, (259, 3, 1, 1), (273, 4, 200_000, BEHIND), (278, 4, 1, 1), behind=b"\0" * 800_000
    ),
    "a tile larger than its photo": lambda: tiff(
        *sides(64, 64), *GREY, (259, 3, 1, 8), (322, 4, 1, 2**15), (323, 3, 1, 2**15), (324, 4, 1, 0), (325, 4, 1, 9)
    ),
    "EXIF tags that all are the block": lambda: jpeg(*[app(1, b"Exif\0\0" + BLOCK[n : n + 65_000]) for n in BLOCKS]),
    "such a block behind nothing": lambda: jpeg(
        b"\xff\xe5\0\2" * 5001, *[app(1, b"Exif\0\0" + BLOCK[n : n + 65_000]) for n in BLOCKS]
    ),
    "tags that all are the file": lambda: tiff(
        *((number, 7, 10**6, 0) for number in range(1000, 6000)), behind=b"\0" * 10**6
    ),
}
