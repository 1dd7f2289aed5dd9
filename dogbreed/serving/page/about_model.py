"""What the page is told of the model that it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dogbreed.artifacts import Artifact
from dogbreed.serving.page.naming import readable_names
from dogbreed.serving.settings import Settings


def about(artifact: Artifact, settings: Settings) -> dict[str, Any]:
    """As JSON holds it: the classes and their readable names, in the order of the logits, and what the card says.

    `figures` are those of the test split, null where the card has none; `resize` and `crop` say which part of a photo
    the network sees.
    """
    card, thresholds = artifact.card, artifact.thresholds
    return {
        "classes": list(artifact.class_names),
        "names": readable_names(artifact.class_names),
        "version": str(card["digest"])[:12],
        "backbone": card["architecture"]["backbone"],
        "figures": _figures(card),
        "thresholds": thresholds and thresholds.to_dict(),
        "synthetic": bool(_part(card, "data").get("synthetic")),
        "limits": [str(limit) for limit in card.get("limits") or ()],
        "resize": artifact.preprocessing.resize,
        "crop": artifact.preprocessing.crop,
        "max_bytes": settings.max_bytes,
    }


def _figures(card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "accuracy": _part(card, "metrics").get("test/acc"),
        "interval": _part(card, "intervals").get("test/acc"),
        "photos": _part(card, "judged").get("photos"),
    }


def _part(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = card.get(name)
    return found if isinstance(found, dict) else {}
