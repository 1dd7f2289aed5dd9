"""Photos' files, within the pixels that one request may have."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image

from dogbreed.data.photos import PhotoError, decode, decode_image
from dogbreed.serving.error import RequestError

# WebP's decoder lets no other thread of Python run, none that answers `/ping` either: half a second for so many.
WEBP_PIXELS = 2**24


def read_photos(
    files: Iterable[bytes | Image.Image], max_pixels: int, *, smallest_side: int | None = None
) -> list[Image.Image]:
    """The photos in files, of any format that can be trained on, or in memory; a file is asked for when its turn comes.

    Args:
        files: each with one photo.
        max_pixels: of all of them together, as they are in their files. A flat photo is a few bytes and as many
            pixels as any, so that what comes out counts, before it does.
        smallest_side: below which the sides of a JPEG must not come; None for all of its pixels.

    Raises:
        RequestError: 413 where they are too large, 400 where one is no photo.
    """
    photos: list[Image.Image] = []
    for file in files:
        try:
            if isinstance(file, bytes):
                most = min(max_pixels, WEBP_PIXELS) if file.startswith(b"RIFF") else max_pixels
                photo = decode(file, smallest_side=smallest_side, max_pixels=most)
            else:
                photo = decode_image(file, max_pixels=max_pixels)
        except PhotoError as error:
            raise RequestError(413 if error.fault == "too large" else 400, f"The photo {error}") from error
        max_pixels -= photo.width * photo.height
        photos.append(photo.image)
    return photos
