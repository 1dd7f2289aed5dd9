"""Whether the server can be asked: once it has answered a photo, and until it is to stop."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from dogbreed.serving.server.answering import Answering

SIDE = 256  # pixels


@dataclass
class Health:
    """Of a server."""

    warm: bool = False
    stopping: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return self.warm and not self.stopping


def drawn_photo() -> bytes:
    """A JPEG without a dog."""
    file = io.BytesIO()
    Image.radial_gradient("L").resize((SIDE, SIDE)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


async def warm_up(answering: Answering, health: Health) -> None:
    """Have a photo answered, by the way that every photo goes."""
    await answering.answer(drawn_photo(), "image/jpeg", "application/json")
    health.warm = True
