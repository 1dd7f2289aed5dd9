"""What a model was trained on and how, for its card."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dogbreed.hub.markdown import NOT_RECORDED, escaped, facts, table
from dogbreed.hub.metadata import is_number, part

LONGEST = 8  # values of a setting; a class's weight for each of hundreds says nothing


def training_section(card: Mapping[str, Any]) -> Iterator[str]:
    """Photos, regime, preprocessing and settings, as far as they are recorded."""
    data, training = part(card, "data"), part(card, "training")
    yield "### Training Data"
    yield _photos(part(data, "photos"))
    if is_number(data.get("skipped")):
        yield f"Photos that were left out because they could not be used: {data['skipped']:,}."
    yield "### Training Procedure"
    yield f"Regime: {escaped(training['regime'])}." if "regime" in training else NOT_RECORDED
    yield "#### Preprocessing"
    yield _preprocessing(part(card, "preprocessing"))
    yield "#### Training Hyperparameters"
    yield _settings(part(training, "settings"))


def _photos(photos: Mapping[str, Any]) -> str:
    if not photos:
        return NOT_RECORDED
    rows = ([escaped(name), f"{count:,}" if is_number(count) else escaped(count)] for name, count in photos.items())
    return table(["Split", "Photos"], rows)


def _preprocessing(values: Mapping[str, Any]) -> str:
    if not values:
        return NOT_RECORDED
    return facts({escaped(name).capitalize(): escaped(_joined(value)) for name, value in values.items()})


def _joined(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _settings(settings: Mapping[str, Any]) -> str:
    if not settings:
        return NOT_RECORDED
    return table(["Setting", "Value"], ([escaped(name), escaped(_setting(name, v))] for name, v in settings.items()))


def _setting(name: str, value: Any) -> str:
    if name == "weights" and isinstance(value, str):
        return file_name(value)
    return f"{len(value)} values" if isinstance(value, list) and len(value) > LONGEST else json.dumps(value)


def file_name(path: str) -> str:
    """The last part of a path: the folders are of no use to others, and may name who trained.

    >>> file_name("/home/ada/weights/resnet50.pth")
    'resnet50.pth'
    """
    return path.replace("\\", "/").rpartition("/")[2]
