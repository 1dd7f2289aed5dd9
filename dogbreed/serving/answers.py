"""What a model says of the photos of a request, in the media types that an answer can have."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from dogbreed.models.probabilities import log_probabilities, ranking
from dogbreed.serving.error import RequestError

TOP = 5


@dataclass(frozen=True)
class Answers:
    """Of the photos of one request.

    Attributes:
        logits: shape (photos, classes).
        class_names: of the columns.
        temperature: that makes probabilities of them.
        version: of the model.
    """

    logits: Tensor
    class_names: tuple[str, ...]
    temperature: float
    version: str

    def best(self) -> list[list[dict[str, Any]]]:
        """The most probable breeds of each photo, the most probable first."""
        shares = log_probabilities(self.logits, temperature=self.temperature).exp()
        indices = ranking(shares, TOP)
        rows = zip(indices.tolist(), shares.gather(1, indices).tolist(), strict=True)
        return [[self._breed(*pair) for pair in zip(*row, strict=True)] for row in rows]

    def _breed(self, index: int, probability: float) -> dict[str, Any]:
        return {"label": self.class_names[index], "index": index, "probability": probability}


def as_json(answers: Answers) -> bytes:
    """`{"predictions": [[{"label", "index", "probability"}, …], …], "model_version": …}`."""
    found = {"predictions": answers.best(), "model_version": answers.version}
    return json.dumps(found, ensure_ascii=False).encode()


def as_npy(answers: Answers) -> bytes:
    """The logits, float32, in NumPy's format."""
    file = io.BytesIO()
    np.save(file, answers.logits.float().numpy(), allow_pickle=False)
    return file.getvalue()


def as_csv(answers: Answers) -> bytes:
    """A row for each photo and breed."""
    file = io.StringIO()
    writer = csv.DictWriter(file, ["photo", "rank", "label", "index", "probability"], lineterminator="\n")
    writer.writeheader()
    for photo, breeds in enumerate(answers.best()):
        writer.writerows({"photo": photo, "rank": rank, **breed} for rank, breed in enumerate(breeds, 1))
    return file.getvalue().encode()


WRITERS: dict[str, Callable[[Answers], bytes]] = {
    "application/json": as_json,
    "application/x-npy": as_npy,
    "text/csv": as_csv,
}


def write_answer(answers: Answers, accept: str | None) -> tuple[bytes, str]:
    """The body of an answer and its media type: the first of those accepted that there is; JSON where any will do.

    Raises:
        RequestError: none of them.
    """
    accepted = [part.partition(";")[0].strip().lower() for part in (accept or "*/*").split(",")]
    known = [WILD.get(media, media) for media in accepted if WILD.get(media, media) in WRITERS]
    if not known:
        raise RequestError(406, f"Expected to accept {', '.join(WRITERS)}, got {str(accept)[:80]!r}.")
    return WRITERS[known[0]](answers), known[0]


WILD = {"*/*": "application/json", "application/*": "application/json", "text/*": "text/csv", "": "application/json"}
