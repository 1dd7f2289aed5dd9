"""How large a WebP says it is: Pillow makes two pictures of that size before it can be asked."""

from __future__ import annotations

HEAD = 30  # bytes, of which the size is a part in each of the three kinds


def webp_canvas(content: bytes) -> tuple[int, int] | None:
    r"""The width and height of a WebP's canvas, by the kind of its first chunk; None for anything else.

    https://developers.google.com/speed/webp/docs/riff_container; RFC 6386, section 9.1, of `VP8 `.

    >>> webp_canvas(b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x1f\0\xff\x17\0")
    (8192, 6144)
    >>> webp_canvas(b"GIF89a")
    """
    if len(content) < HEAD or content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    size = SIZES.get(content[12:16])
    return size(content) if size else None


def _extended(content: bytes) -> tuple[int, int]:
    return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1


def _lossy(content: bytes) -> tuple[int, int]:
    # The upper two bits of each say how it could be shown larger.
    return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF


def _lossless(content: bytes) -> tuple[int, int]:
    bits = int.from_bytes(content[21:25], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


SIZES = {b"VP8X": _extended, b"VP8 ": _lossy, b"VP8L": _lossless}
