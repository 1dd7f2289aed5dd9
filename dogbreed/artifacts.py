"""The contract between training and everything after it: a folder with tensors, and JSON that says what they are."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from dogbreed.artifact_card import (
    FORMAT_VERSION,
    JSON_FILE,
    WEIGHTS_FILE,
    card_digest,
    other_weights,
    read_card,
    weights_sha256,
)
from dogbreed.atomic import atomic_write, write_text
from dogbreed.data.transforms import Preprocessing, normalise
from dogbreed.errors import ArtifactError, DogbreedError
from dogbreed.models.network import BreedNetwork, build_network
from dogbreed.thresholds import Thresholds

NEXT_FILE = "model.json.next"
LIBRARIES = ("dogbreed", "torch", "torchvision", "pytorch-lightning", "safetensors")


@dataclass(frozen=True)
class Artifact:
    """A trained network, in eval mode, and all that is needed to ask it about a photo.

    `card` is the whole of `model.json`: regime, metrics, data summary, library versions, limits of the run.
    """

    network: BreedNetwork
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    card: dict[str, Any]

    @property
    def temperature(self) -> float:
        """What calibration divides the logits by before the softmax, above 0; 1.0 where the card names none."""
        return _temperature(self.card)

    @property
    def thresholds(self) -> Thresholds | None:
        """What makes an answer sure and a photo familiar; None where the card says nothing of it."""
        return Thresholds.from_card(self.card)


def save_artifact(
    folder: str | Path,
    network: BreedNetwork,
    *,
    architecture: Mapping[str, Any],
    class_names: Sequence[str],
    details: Mapping[str, Any] | None = None,
) -> Artifact:
    """Write an artifact, load it again, and compare its logits with the network's before returning.

    Whatever interrupts the writing, `load_artifact` finds the old artifact or the new one whole. The folder may
    exist, and may be a mount point: the JSON to come is stored beside the old one, then the weights take their
    place, then the JSON does.

    Args:
        folder: made if it is not there.
        network: any mode and device; it is left as it was.
        architecture: arguments of `build_network`, weights aside.
        class_names: in the order of the logits.
        details: goes into `model.json` as it is: regime, metrics, data, limits.

    Returns:
        The artifact as it was loaded again.

    Raises:
        ArtifactError: the disk is full or read-only, a weight is not finite, the calibration's temperature is not a
            finite number above 0, a threshold of it no finite number, or the reloaded logits differ.
    """
    folder = Path(folder)
    weights = _serialised(network, folder)
    card = {
        "format": "dogbreed-model",
        "format_version": FORMAT_VERSION,
        "architecture": dict(architecture),
        "class_names": list(class_names),
        "preprocessing": network.preprocessing.to_dict(),
        **(details or {}),
        "versions": library_versions(),
        "weights": {
            "file": WEIGHTS_FILE,
            "sha256": hashlib.sha256(weights).hexdigest(),
            "bytes": len(weights),
        },
    }
    _check_calibration(card)
    try:
        _commit(folder, weights, json.dumps(card | {"digest": card_digest(card)}, indent=2, allow_nan=False))
    except OSError as error:
        raise ArtifactError(f"Cannot write the model to {folder}: {error.strerror or error}.") from error
    except ValueError as error:
        raise ArtifactError(f"Expected the figures of the model for {folder} to be finite: {error}.") from error
    # What is loaded again takes as much memory.
    del weights
    return _reloaded(folder, network)


def load_artifact(folder: str | Path, device: str | torch.device = "cpu") -> Artifact:
    """The artifact of a folder, on any device, without a network connection and without running code from it.

    Raises:
        ArtifactError: a file is missing or damaged, a value does not belong to the weights, or the format is newer.
    """
    folder = Path(folder).expanduser()
    weights = _read(folder, WEIGHTS_FILE)
    card = _matching_card(folder, hashlib.sha256(weights).hexdigest())
    try:
        state = load(weights)
        del weights
        # Weights named by the JSON would be another file, or a download.
        with torch.random.fork_rng(devices=[]):
            network = build_network(**card["architecture"], weights=None)
        network.preprocessing = Preprocessing.from_dict(card["preprocessing"])
        network.load_state_dict(state, strict=True)
        class_names, num_classes = tuple(card["class_names"]), card["architecture"]["num_classes"]
        _check_calibration(card)
    except (DogbreedError, SafetensorError, RuntimeError, LookupError, TypeError, ValueError, MemoryError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ArtifactError(f"The model in {folder} cannot be built: {reason}") from error
    _check_finite(state, folder)
    if len(class_names) != num_classes or not all(isinstance(name, str) for name in class_names):
        raise ArtifactError(f"Expected {num_classes} class names in {folder}, found {len(class_names)}.")
    return Artifact(network.to(device).eval().requires_grad_(False), class_names, network.preprocessing, card)


def library_versions() -> dict[str, str]:
    """The installed versions of what decides how a model computes."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _serialised(network: BreedNetwork, folder: Path) -> bytes:
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    _check_finite(state, folder)
    return save(state)


def _commit(folder: Path, weights: bytes, text: str) -> None:
    # Where a write fails the JSON to come stays: the weights it describes may have taken their place already.
    write_text(folder / NEXT_FILE, text)
    with atomic_write(folder / WEIGHTS_FILE) as file:
        file.write(weights)
    write_text(folder / JSON_FILE, text)
    (folder / NEXT_FILE).unlink(missing_ok=True)


def _matching_card(folder: Path, found: str) -> dict[str, Any]:
    """The JSON that belongs to the weights: the one in place, or the one that was about to take its place."""
    card = _card(folder, JSON_FILE) if (folder / JSON_FILE).exists() or not (folder / NEXT_FILE).exists() else {}
    if weights_sha256(card) == found:
        return card
    if (folder / NEXT_FILE).exists():
        upcoming = _card(folder, NEXT_FILE)
        if weights_sha256(upcoming) == found:
            return upcoming
    raise other_weights(folder)


def _card(folder: Path, name: str) -> dict[str, Any]:
    return read_card(_read(folder, name), folder, name)


def _check_calibration(card: Mapping[str, Any]) -> None:
    _temperature(card)
    Thresholds.from_card(card)


def _temperature(card: Mapping[str, Any]) -> float:
    calibration = card.get("calibration") or {}
    found: Any = calibration.get("temperature", 1.0) if isinstance(calibration, dict) else None
    # By type: Python takes a truth value for a number.
    if type(found) not in (int, float) or not 0 < found <= sys.float_info.max:
        raise ArtifactError(f"Expected calibration.temperature to be a finite number above 0, got {str(found)[:40]}.")
    return float(found)


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"Expected a model in {folder}, but {name}: {error.strerror}. A run leaves its model in OUTPUT_DIR/model."
        ) from error


def _check_finite(state: Mapping[str, Tensor], folder: Path) -> None:
    broken = [name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if broken:
        raise ArtifactError(f"The model for {folder} has weights that are not finite, in {broken[0]}.")


def _reloaded(folder: Path, network: BreedNetwork) -> Artifact:
    """The artifact, if it answers as the network does, bit for bit, on photos of noise."""
    artifact = load_artifact(folder)
    size = network.preprocessing.crop
    noise = torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = normalise(noise, network.preprocessing)
    was_training, device = network.training, next(network.parameters()).device
    with torch.inference_mode():
        expected = network.cpu().eval()(images)
        answered = artifact.network(images)
    network.to(device).train(was_training)
    if not torch.equal(expected, answered):
        difference = (expected - answered).abs().max().item()
        raise ArtifactError(f"The model in {folder} answers otherwise than the trained one, by up to {difference:g}.")
    return artifact
