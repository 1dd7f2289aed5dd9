"""What a server is asked first: it is healthy once it has answered."""

from __future__ import annotations

import io

from PIL import Image

SIDE = 256  # pixels


def drawn_photo() -> bytes:
    """A JPEG without a dog."""
    file = io.BytesIO()
    Image.radial_gradient("L").resize((SIDE, SIDE)).convert("RGB").save(file, "JPEG")
    return file.getvalue()
