"""`model.tar.gz`: a trained model with the code that serves it, the same bytes whoever packs it and when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dogbreed.artifact_card import JSON_FILE, WEIGHTS_FILE, other_weights, read_card, weights_sha256
from dogbreed.errors import ArtifactError
from dogbreed.serving.code_folder import write_code
from launch.shipping.reproducible_tar import tar_gz
from launch.shipping.shipped_files import shipped_files

README, CODE, MODEL = "README.md", "code", "model"


@dataclass(frozen=True)
class ModelArchive:
    """What an endpoint loads.

    Attributes:
        content: of the archive; the same model and code give the same bytes.
        card: the model's JSON.
    """

    content: bytes
    card: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Of the archive, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def model_archive(folder: Path) -> ModelArchive:
    """The archive of a model's folder, or of the run that left it.

    Raises:
        ArtifactError: there is no model, or a damaged one.
    """
    folder = model_folder(folder)
    card = read_card(_read(folder / JSON_FILE), folder)
    weights = _read(folder / WEIGHTS_FILE)
    if hashlib.sha256(weights).hexdigest() != weights_sha256(card):
        raise other_weights(folder)
    files = {JSON_FILE: _read(folder / JSON_FILE), WEIGHTS_FILE: weights, **_code(_backbone(card, folder))}
    if (folder / README).is_file():
        files[README] = _read(folder / README)
    return ModelArchive(tar_gz(files), card)


def model_folder(folder: Path) -> Path:
    """Where the model is: in the folder, or in model/ of a run's folder.

    Raises:
        ArtifactError: in neither.
    """
    places = [folder, folder / MODEL]
    for place in places:
        if (place / JSON_FILE).is_file():
            return place
    raise ArtifactError(
        f"Expected a model in {folder}, found no {JSON_FILE}. A run leaves its model in OUTPUT_DIR/model."
    )


def _code(backbone: str) -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        write_code(Path(folder), backbone)
        return {f"{CODE}/{name}": content for name, content in shipped_files(Path(folder)).items()}


def _backbone(card: Mapping[str, Any], folder: Path) -> str:
    architecture = card.get("architecture")
    if not isinstance(architecture, dict) or "backbone" not in architecture:
        raise ArtifactError(f"The model in {folder} cannot be built: its {JSON_FILE} names no backbone.")
    return str(architecture["backbone"])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"Expected a model in {path.parent}, but {path.name}: {error.strerror}. A run leaves its model in "
            "OUTPUT_DIR/model."
        ) from error
