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

from dogbreed.models.probabilities import energy, log_probabilities, ranking
from dogbreed.serving.error import RequestError
from dogbreed.thresholds import Thresholds

TOP = 5


@dataclass(frozen=True)
class Answers:
    """Of the photos of one request.

    Attributes:
        logits: shape (photos, classes).
        class_names: of the columns.
        temperature: that makes probabilities of them.
        version: of the model.
        thresholds: by which an answer is sure and a photo familiar; None where the model has none.
        top_k: breeds in an answer, of each photo.
    """

    logits: Tensor
    class_names: tuple[str, ...]
    temperature: float
    version: str
    thresholds: Thresholds | None = None
    top_k: int = TOP

    @property
    def probabilities(self) -> Tensor:
        """Of the columns, shape (photos, classes)."""
        return log_probabilities(self.logits, temperature=self.temperature).exp()

    def best(self) -> list[list[dict[str, Any]]]:
        """The most probable breeds of each photo, the most probable first."""
        shares = self.probabilities
        indices = ranking(shares, self.top_k)
        rows = zip(indices.tolist(), shares.gather(1, indices).tolist(), strict=True)
        return [[self._breed(*pair) for pair in zip(*row, strict=True)] for row in rows]

    def details(self) -> list[dict[str, Any]]:
        """Of each photo whether the answer is sure and the photo familiar, and all logits and probabilities."""
        columns = energy(self.logits), self.logits.float(), self.probabilities
        return [self._detail(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    def _detail(self, energy: float, logits: list[float], probabilities: list[float]) -> dict[str, Any]:
        known = self.thresholds
        return {
            "sure": known and known.sure(max(probabilities)),
            "unsure_below": known and known.unsure_below,
            "familiar": known and known.familiar(energy),
            "unfamiliar_above": known and known.unfamiliar_above,
            "energy": energy,
            "logits": logits,
            "probabilities": probabilities,
        }

    def _breed(self, index: int, probability: float) -> dict[str, Any]:
        return {"label": self.class_names[index], "index": index, "probability": probability}


def as_json(answers: Answers) -> bytes:
    """`{"predictions": [[{"label", "index", "probability"}, …], …], "model_version": …}`."""
    found = {"predictions": answers.best(), "model_version": answers.version}
    return json.dumps(found, ensure_ascii=False).encode()


def as_verbose_json(answers: Answers) -> bytes:
    """As `as_json`, and `"details"`, one a photo, of `Answers.details`.

    `sure` and `familiar` are null where the model has no thresholds, as are these; `energy` is that of
    `dogbreed.models.probabilities.energy`.
    """
    found = {"predictions": answers.best(), "model_version": answers.version, "details": answers.details()}
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
    "application/json;verbose": as_verbose_json,
    "application/x-npy": as_npy,
    "text/csv": as_csv,
}


def write_answer(answers: Answers, accept: str | None) -> tuple[bytes, str]:
    """The body of an answer and its media type: the first of those accepted that there is; JSON where any will do.

    Raises:
        RequestError: none of them.
    """
    media = accepted_media(accept)
    return WRITERS[media](answers), media.partition(";")[0]


def accepted_media(accept: str | None) -> str:
    """Of `WRITERS` the first that is accepted, known before anything is computed.

    Raises:
        RequestError: none of them.

    >>> accepted_media("text/html, text/csv"), accepted_media(None)
    ('text/csv', 'application/json')
    """
    known = [media for media in map(_media, (accept or "*/*").split(",")) if media in WRITERS]
    if not known:
        raise RequestError(406, f"Expected to accept {', '.join(WRITERS)}, got {str(accept)[:80]!r}.")
    return known[0]


def _media(accepted: str) -> str:
    media, *parameters = (part.strip().lower() for part in accepted.split(";"))
    plain = WILD.get(media, media)
    verbose = f"{plain};verbose"
    return verbose if "verbose" in parameters and verbose in WRITERS else plain


WILD = {"*/*": "application/json", "application/*": "application/json", "text/*": "text/csv", "": "application/json"}
