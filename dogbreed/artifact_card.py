"""`model.json`: what a model's folder says of itself, checked without loading the model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dogbreed.errors import ArtifactError

WEIGHTS_FILE, JSON_FILE = "model.safetensors", "model.json"
FORMAT_VERSION = 1


def card_digest(card: Mapping[str, Any]) -> str:
    """A hash of everything in the JSON, the hash of the weights among it: a permuted class list is noticed."""
    content = {name: value for name, value in card.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_card(content: bytes, folder: str | Path, name: str = JSON_FILE) -> dict[str, Any]:
    """The JSON, if it is as it was written.

    Args:
        content: of the file.
        folder: it is in, for messages.
        name: of the file.

    Raises:
        ArtifactError: it is damaged, describes something else, or is of a newer format.
    """
    try:
        card = json.loads(content)
        digest = card_digest(card) if isinstance(card, dict) else None
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ArtifactError(f"The model in {folder} is damaged: {name} is not JSON ({error}).") from error
    if not isinstance(card, dict) or card.get("format") != "dogbreed-model":
        raise ArtifactError(f"Expected {folder}/{name} to describe a dogbreed model, found something else.")
    found = card.get("format_version")
    if not isinstance(found, int) or found > FORMAT_VERSION:
        raise ArtifactError(
            f"The model in {folder} has format {found}, this version reads up to {FORMAT_VERSION}: "
            "pip install --upgrade dogbreed"
        )
    if card.get("digest") != digest:
        raise ArtifactError(
            f"The model in {folder} is damaged: {name} was changed after it was written (its digest differs). "
            "Copy the model again, or train it again."
        )
    return card


def weights_sha256(card: Mapping[str, Any]) -> Any:
    """The hash of the weights that a card was written with; None where it names none."""
    weights = card.get("weights")
    return weights.get("sha256") if isinstance(weights, dict) else None


def other_weights(folder: str | Path) -> ArtifactError:
    """What is wrong where the weights are not those that the JSON was written with."""
    return ArtifactError(
        f"The model in {folder} is damaged: {WEIGHTS_FILE} is not the file that {JSON_FILE} describes "
        "(its SHA-256 differs). Copy the model again, or train it again."
    )
