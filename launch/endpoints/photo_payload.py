"""A photo as the body of a request: what it is by its content, and small enough for the endpoint."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from dogbreed.data.photos import PhotoError, decode, read
from dogbreed.errors import DataError

CONTENT_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
# Of any other format that can be read: the server looks for itself.
OTHER = "application/x-image"
SIDES, QUALITY = (4096, 2048, 1024, 512), 92
# Two ears, a face, two eyes and a nose.
SIDE = 224
HEAD = {
    (30, 60, 80, 170): "saddlebrown",
    (144, 60, 194, 170): "saddlebrown",
    (50, 40, 174, 200): "peru",
    (80, 90, 96, 106): "black",
    (128, 90, 144, 106): "black",
    (96, 140, 128, 164): "black",
}


@dataclass(frozen=True)
class Payload:
    """What is sent of a photo.

    Attributes:
        body: of the request.
        content_type: of the body.
        note: what is to be said of it; empty where the photo goes as it is.
    """

    body: bytes
    content_type: str
    note: str = ""


def photo_payload(photo: Path, largest: int) -> Payload:
    """The photo's own bytes, or a smaller picture of it where they are too many.

    Args:
        photo: a file of any format that can be trained on, whatever its name.
        largest: bytes that the endpoint takes.

    Raises:
        DataError: no photo, or a damaged one.
    """
    try:
        content = read(photo)
        opened = decode(content)
    except PhotoError as error:
        raise DataError(f"{photo} {error}") from error
    if len(content) <= largest:
        return Payload(content, CONTENT_TYPES.get(opened.format, OTHER))
    body, size = _smaller(opened.image, largest)
    note = (
        f"{photo} has {len(content):,} bytes, the endpoint takes {largest:,}: sent as a JPEG of {size[0]} x {size[1]} "
        f"pixels and {len(body):,} bytes."
    )
    return Payload(body, CONTENT_TYPES["JPEG"], note)


def drawn_payload() -> Payload:
    """A drawn dog's head, for an endpoint that has to show that it answers."""
    image = Image.new("RGB", (SIDE, SIDE), "seagreen")
    draw = ImageDraw.Draw(image)
    for box, colour in HEAD.items():
        draw.ellipse(box, fill=colour)
    return Payload(_jpeg(image), CONTENT_TYPES["JPEG"])


def _smaller(image: Image.Image, largest: int) -> tuple[bytes, tuple[int, int]]:
    body = b""
    for side in SIDES:
        image.thumbnail((side, side))
        body = _jpeg(image)
        if len(body) <= largest:
            break
    return body, image.size


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
