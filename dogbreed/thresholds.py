"""From which probability on an answer can be relied on, and beyond which energy a photo is unlike those known."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from dogbreed.errors import ArtifactError


@dataclass(frozen=True)
class Thresholds:
    """What validation photos taught about a model's answers; in the card beside the temperature.

    Attributes:
        unsure_below: answers of at least this calibrated probability were right nine times in ten; None where that was
            not shown of any probability.
        unfamiliar_above: the energy, of logits that are not divided by the temperature, that one validation photo in
            twenty exceeds; None where there were too few photos.

    >>> Thresholds(0.6, -4.0).sure(0.7), Thresholds(None, None).sure(0.99)
    (True, False)
    """

    unsure_below: float | None
    unfamiliar_above: float | None

    def sure(self, probability: float) -> bool:
        """Whether an answer of this calibrated probability can be relied on."""
        return self.unsure_below is not None and probability >= self.unsure_below

    def familiar(self, energy: float) -> bool | None:
        """Whether a photo of this energy is like those that the model was trained on; None where that is unknown."""
        return None if self.unfamiliar_above is None else energy <= self.unfamiliar_above

    def to_dict(self) -> dict[str, float | None]:
        """As the card's `calibration` holds them."""
        return asdict(self)

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> Self | None:
        """Those of a card; None where it was written without them.

        Raises:
            ArtifactError: a value is neither null nor a finite number.
        """
        calibration = card.get("calibration")
        if not isinstance(calibration, dict):
            return None
        found = {field.name: calibration[field.name] for field in fields(cls) if field.name in calibration}
        for name, value in found.items():
            _check(name, value)
        return cls(found["unsure_below"], found["unfamiliar_above"]) if len(found) == len(fields(cls)) else None


def _check(name: str, value: Any) -> None:
    # By type: Python takes a truth value for a number.
    if value is None or (type(value) in (int, float) and abs(value) <= sys.float_info.max):
        return
    raise ArtifactError(f"Expected calibration.{name} to be null or a finite number, got {str(value)[:40]}.")
