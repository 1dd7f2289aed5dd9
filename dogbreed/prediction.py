"""One breed that a photo may show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """One breed that a photo may show: its name, its position in the class names, its probability in [0, 1]."""

    name: str
    index: int
    probability: float
