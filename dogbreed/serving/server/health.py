"""Whether the server can be asked: once it has answered a photo, and until it is to stop."""

from __future__ import annotations

from dataclasses import dataclass

from dogbreed.serving.first_photo import drawn_photo
from dogbreed.serving.server.answering import Answering


@dataclass
class Health:
    """Of a server."""

    warm: bool = False
    stopping: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return self.warm and not self.stopping


async def warm_up(answering: Answering, health: Health) -> None:
    """Have a photo answered, by the way that every photo goes."""
    await answering.answer(drawn_photo(), "image/jpeg", "application/json")
    health.warm = True
