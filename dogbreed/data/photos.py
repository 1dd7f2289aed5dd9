"""One photo, from whatever it comes in, as upright 8-bit RGB or as an error that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from PIL import ExifTags, Image, UnidentifiedImageError

from dogbreed.data.colours import as_rgb
from dogbreed.data.costly_error import CostlyError
from dogbreed.data.jpeg_costs import check_scans
from dogbreed.data.photo_costs import CountedFile, check_parts
from dogbreed.data.pillow_warnings import PILLOW_WARNINGS
from dogbreed.data.tag_costs import check_exif
from dogbreed.data.webp_canvas import webp_canvas
from dogbreed.errors import DataError

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 89_478_485  # where Pillow begins to warn of a decompression bomb: 256 MiB of RGB
MAX_SIDE = 30_000
MAX_ASPECT = 50.0
FORMATS = (
    "JPEG",
    "PNG",
    "WEBP",
    "BMP",
    "GIF",
    "TIFF",
)  # Pillow opens an MPO as a JPEG, and then calls it MPO

Fault = Literal["empty file", "not a photo", "truncated", "too large", "unreadable"]

# EXIF 2.32, tag 0x0112: what turns the stored picture upright. `ImageOps.exif_transpose` also writes the EXIF
# block anew, which fails on blocks that need only be read.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = [UPRIGHT[orientation] for orientation in (5, 6, 7, 8)]
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"BM", b"GIF8", b"II", b"MM")
STRANGERS = {b"%PDF": "a PDF", b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip archive"}
HEIF = {b"heic": "a HEIC photo", b"heix": "a HEIC photo", b"mif1": "a HEIF photo", b"avif": "an AVIF photo"}


class PhotoError(DataError):
    """What is wrong with one photo, as the end of a sentence that begins with its name."""

    def __init__(self, message: str, fault: Fault = "unreadable"):
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True)
class Photo:
    """A decoded photo, and its format, width and height as they are in the file: before it is turned upright.

    `upright` is the width and height of the whole photo when it is: those of `image`, where that did not come smaller.
    """

    image: Image.Image
    format: str
    width: int
    height: int
    upright: tuple[int, int]


def open_photo(source: Path | str | bytes | BinaryIO | Image.Image, *, smallest_side: int | None = None) -> Image.Image:
    """The photo as upright RGB: EXIF orientation applied, transparency over white, an animation's first frame.

    Args:
        source: a file, its bytes, or an image of Pillow.
        smallest_side: below which a JPEG's sides must not come; it may come smaller than it is. None for all pixels.

    Raises:
        DataError: the source is no photo, is damaged, or is beyond the bounds of this module.

    >>> open_photo(Image.new("LA", (3, 2), (0, 0))).getpixel((0, 0))
    (255, 255, 255)
    >>> open_photo(b"<!DOCTYPE html><title>404")
    Traceback (most recent call last):
    dogbreed.errors.DataError: The photo is not a photo: it is text that starts with '<!DOCTYPE html><title>404'.
    """
    try:
        if isinstance(source, Image.Image):
            return decode_image(source, smallest_side=smallest_side).image
        content = source if isinstance(source, bytes) else read(source)
        return decode(content, smallest_side=smallest_side).image
    except PhotoError as fault:
        raise DataError(f"{_name(source)} {fault}") from fault


def read(source: Path | str | BinaryIO) -> bytes:
    """The bytes of a photo, unless they are too many.

    Raises:
        PhotoError: no file, a file that cannot be read, or more than `MAX_BYTES`.
    """
    try:
        content = _read_file(Path(source)) if isinstance(source, str | Path) else source.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PhotoError(f"cannot be read: {_first_line(error)}.") from error
    if len(content) > MAX_BYTES:
        raise PhotoError(f"is larger than {MAX_BYTES >> 20} MiB.", "too large")
    return content


def decode(content: bytes, *, smallest_side: int | None = None, max_pixels: int = MAX_PIXELS) -> Photo:
    """The photo in a file's bytes; a JPEG may come smaller, but not below `smallest_side`, which is cheaper.

    Of more than `max_pixels` in the file nothing is decoded.

    Raises:
        PhotoError: as `open_photo`.
    """
    if not content:
        raise PhotoError("is empty.", "empty file")
    with _only_photo_errors(content):
        check_parts(content)
        if canvas := webp_canvas(content):
            _check_bounds(*canvas, max_pixels)
        with Image.open(CountedFile(content), formats=FORMATS) as image:
            check_scans(content, image.width * image.height)
            return decode_image(image, smallest_side=smallest_side, max_pixels=max_pixels)


def decode_image(image: Image.Image, *, smallest_side: int | None = None, max_pixels: int = MAX_PIXELS) -> Photo:
    """As `decode`, for an image that Pillow has opened and may not have decoded yet.

    Raises:
        PhotoError: as `open_photo`.
    """
    with _only_photo_errors():
        width, height = image.size
        _check_bounds(width, height, max_pixels)
        # Pillow decodes it pixel by pixel in Python.
        if any(tile[0] == "bmp_rle" for tile in getattr(image, "tile", ())):
            raise PhotoError("is a BMP with run-length encoding, which photos do not have.")
        if smallest_side is not None:
            image.draft(None, (smallest_side, smallest_side))
        image.load()
        turn = _turn(image)
        rgb = as_rgb(image if turn is None else image.transpose(turn))
        if turn is not None:
            # The orientation would still stand there: opened again, the photo would be turned again.
            rgb.info.clear()
        upright = (height, width) if turn in SIDEWAYS else (width, height)
        return Photo(rgb, image.format or "", width, height, upright)


def _turn(image: Image.Image) -> Image.Transpose | None:
    # Cameras and editors leave damaged EXIF blocks in sound photos, and parsing one can end in any exception.
    try:
        check_exif(_exif_block(image.info))
        return UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return None


def _exif_block(info: Mapping[str | tuple[int, int], Any]) -> bytes:
    # ImageMagick writes it into a PNG as text, after a name and a length.
    written = info.get("Raw profile type exif")
    return info.get("exif") or (bytes.fromhex("".join(written.split("\n")[3:])) if written else b"")


def _check_bounds(width: int, height: int, max_pixels: int) -> None:
    if min(width, height) < 1:
        raise PhotoError(f"has no pixels: {width} x {height}.")
    if max(width, height) > MAX_SIDE or width * height > max_pixels:
        most = f"{MAX_SIDE:,} a side and {max_pixels:,} in all"
        raise PhotoError(f"is too large: {width} x {height} pixels, at most {most}.", "too large")
    if max(width, height) > MAX_ASPECT * min(width, height):
        most = f"at most {MAX_ASPECT:g} times as long as wide"
        raise PhotoError(f"is too long and thin: {width} x {height} pixels, {most}.")


@contextmanager
def _only_photo_errors(content: bytes = b"") -> Iterator[None]:
    try:
        with PILLOW_WARNINGS:
            yield
    except PhotoError:
        raise
    except CostlyError as error:
        raise PhotoError(f"is too costly: it {error}.", "too large") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise PhotoError(f"is too large: {_first_line(error)}.", "too large") from error
    except UnidentifiedImageError as error:
        raise _unidentified(content) from error
    # A damaged file can end in any exception at all, in Pillow or in the codecs below it.
    except Exception as error:
        raise _undecodable(content, error) from error


def _unidentified(content: bytes) -> PhotoError:
    if content.startswith(SIGNATURES) and not content[:64].isascii():
        return PhotoError("is damaged, or truncated: its header cannot be read.")
    return PhotoError(f"is not a photo: it {_nature(content)}.", "not a photo")


def _nature(content: bytes) -> str:
    stranger = next((name for start, name in STRANGERS.items() if content.startswith(start)), None)
    stranger = stranger or (HEIF.get(content[8:12]) if content[4:8] == b"ftyp" else None)
    if stranger:
        return f"is {stranger}"
    start = content[:40].decode("utf-8", errors="replace")
    if all(letter.isprintable() or letter.isspace() for letter in start) and "\ufffd" not in start[:-1]:
        return f"is text that starts with {start!r}"
    return f"starts with the bytes {content[:8].hex(' ')}"


def _undecodable(content: bytes, error: Exception) -> PhotoError:
    reason = _first_line(error)
    if "truncated" in reason.lower() or isinstance(error, EOFError) or _is_short_webp(content):
        return PhotoError(f"is truncated: {reason}.", "truncated")
    return PhotoError(f"is damaged: {reason}.")


def _is_short_webp(content: bytes) -> bool:
    # A RIFF file says how long it is; the WebP decoder does not say that it missed the end.
    return content.startswith(b"RIFF") and len(content) < int.from_bytes(content[4:8], "little") + 8


def _read_file(path: Path) -> bytes:
    # A named pipe would block for ever; a folder can be called photo.jpg.
    if path.exists() and not path.is_file():
        raise PhotoError("is not a file.", "not a photo")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _first_line(error: BaseException) -> str:
    said = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).strip()
    return said.splitlines()[0].rstrip(".") if said else type(error).__name__


def _name(source: Path | str | bytes | BinaryIO | Image.Image) -> str:
    named = getattr(source, "filename", getattr(source, "name", None))
    name = str(source) if isinstance(source, str | Path) else named
    if not isinstance(name, str) or not name:
        return "The photo"
    return name if name.isprintable() else ascii(name)
