"""Model folders as a run leaves them, as far as one can be told without torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from dogbreed.artifact_card import JSON_FILE, WEIGHTS_FILE, card_digest

CLASS_NAMES = ("Akita", "Beagle", "Löwchen")
WEIGHTS = bytes(range(256)) * 64


def card(**changes: Any) -> dict[str, Any]:
    """The JSON of a model."""
    content = {
        "format": "dogbreed-model",
        "format_version": 1,
        "architecture": {"backbone": "resnet18", "num_classes": 3},
        "class_names": list(CLASS_NAMES),
        "metrics": {"test/acc": 0.9, "test/loss": 0.25, "val/acc": 0.8},
        "weights": {"file": WEIGHTS_FILE, "sha256": hashlib.sha256(WEIGHTS).hexdigest()},
        **changes,
    }
    return content | {"digest": card_digest(content)}


def model_folder(folder: Path, **changes: Any) -> Path:
    """A folder with a model's JSON, weights and page."""
    folder.mkdir(parents=True)
    (folder / JSON_FILE).write_text(json.dumps(card(**changes)))
    (folder / WEIGHTS_FILE).write_bytes(WEIGHTS)
    (folder / "README.md").write_text("# A model\n")
    return folder
