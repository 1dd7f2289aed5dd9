"""What a model says of one photo, and how a table and a journal hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dogbreed.prediction import Prediction

# As JSON holds an answer.
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """About one photo.

    Attributes:
        photo: the file, or its S3 URI.
        predictions: the most probable first; none where there is no answer.
        error: why there is none; empty where there is one.
    """

    photo: Path | str
    predictions: Sequence[Prediction] = ()
    error: str = ""

    def as_row(self) -> Row:
        """As JSON holds it; `error` is there where there is no answer.

        >>> Answer("a.jpg", error="a.jpg is empty.").as_row()
        {'file': 'a.jpg', 'predictions': [], 'error': 'a.jpg is empty.'}
        """
        row = {"file": str(self.photo), "predictions": [asdict(one) for one in self.predictions]}
        return row | ({"error": self.error} if self.error else {})
