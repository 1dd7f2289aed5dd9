"""The metadata of a model card on the Hugging Face Hub: what its YAML block says, for search and for its leaderboards.

After https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from dogbreed.hub.markdown import plain

TASK = "image-classification"
# The names of the Hub's metrics, by those of this project.
METRICS: dict[str, dict[str, Any]] = {
    "test/acc": {"type": "accuracy", "name": "Accuracy"},
    "test/macro_f1": {"type": "f1", "name": "Macro F1", "args": {"average": "macro"}},
}
# A tag names weights ("resnet50.a1_in1k"): without one, which weights timm took is not known.
TIMM_WEIGHTS = re.compile(r"timm/[A-Za-z0-9_]+\.[A-Za-z0-9_.-]+")


def hub_metadata(card: Mapping[str, Any]) -> dict[str, Any]:
    """What the YAML block of a model card holds; what is not known is left out.

    The license is "unknown": that of the photos, and of the weights that training began with, is nowhere recorded.

    Args:
        card: the JSON of an artifact.
    """
    found = figures(card)
    # Single precision ends before the seventh digit.
    results = [METRICS[name] | {"value": round(found[name], 6)} for name in METRICS if name in found]
    metadata = {
        "license": "unknown",
        "library_name": "dogbreed",
        "pipeline_tag": TASK,
        "tags": [TASK, "pytorch", "pytorch-lightning", *(["synthetic-data"] if is_synthetic(card) else [])],
        "base_model": base_model(card),
        "metrics": [result["type"] for result in results],
        "model-index": [{"name": title(card), "results": [_result(card, results)]}] if results else [],
    }
    return {name: value for name, value in metadata.items() if value}


def _result(card: Mapping[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
    dataset = "drawn pictures, no photographs" if is_synthetic(card) else "a folder of photos"
    return {
        "task": {"type": TASK, "name": "Image Classification"},
        "dataset": {"type": "imagefolder", "name": dataset, "split": "test"},
        "metrics": results,
    }


def title(card: Mapping[str, Any]) -> str:
    """What the model is, in a few words."""
    return f"{backbone(card)}, {len(card.get('class_names') or ())} classes"


def backbone(card: Mapping[str, Any]) -> str:
    """The name of the backbone."""
    return plain(part(card, "architecture").get("backbone") or "unknown backbone")


def base_model(card: Mapping[str, Any]) -> str | None:
    """The model on the Hub that this one was fine-tuned from; torchvision's weights are not on the Hub."""
    weights, name = part(part(card, "training"), "settings").get("weights"), backbone(card)
    return name if weights == "imagenet" and TIMM_WEIGHTS.fullmatch(name) else None


def is_synthetic(card: Mapping[str, Any]) -> bool:
    """Whether the photos were drawn."""
    return bool(part(card, "data").get("synthetic"))


def figures(card: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that are numbers, by name."""
    return {name: value for name, value in part(card, "metrics").items() if is_number(value)}


def is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number."""
    return type(value) in (int, float) and math.isfinite(value)


def part(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A mapping within the card; an empty one where there is none."""
    value = card.get(name)
    return value if isinstance(value, Mapping) else {}
