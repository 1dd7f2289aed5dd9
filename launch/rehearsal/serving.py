"""A job's artifact asked about a photo as an inference container asks it: by its `code/inference.py`."""

from __future__ import annotations

import json
import mimetypes
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from dogbreed.data.folder import photo_files
from dogbreed.errors import ArtifactError

INFERENCE = "code/inference.py"
# With nothing on its path but the artifact's code and the installed libraries.
ASK = """
import sys
model, photo, media = sys.argv[1:]
sys.path.insert(0, model + "/code")
import inference
predictor = inference.model_fn(model)
answer = inference.predict_fn(inference.input_fn(open(photo, "rb").read(), media), predictor)
body, _ = inference.output_fn(answer, "application/json")
sys.stdout.buffer.write(b"\\n" + body)
"""
SECONDS = 300


def ask_model(model: Path, photo: Path, python: Path, variables: Mapping[str, str]) -> str:
    """The breed that the artifact answers with, and its probability.

    Args:
        model: what was left in `SM_MODEL_DIR`.
        photo: any.
        python: of the job's environment.
        variables: of the process.

    Raises:
        ArtifactError: it cannot be deployed.
    """
    media = mimetypes.guess_type(photo.name)[0] or "image/jpeg"
    command = [str(python), "-I", "-c", ASK, str(model), str(photo), media]
    kept = {name: text for name, text in variables.items() if not name.startswith("SM_")}
    try:
        asked = subprocess.run(command, env=kept, capture_output=True, cwd=model, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(f"The model did not answer within {SECONDS} seconds.") from error
    if asked.returncode:
        said = asked.stderr.decode(errors="replace").strip().splitlines() or ["it ended without a word"]
        raise ArtifactError(f"The model cannot be deployed, {INFERENCE} fails on a photo: {said[-1]}")
    return _best(asked.stdout.splitlines()[-1])


def check_artifact(model: Path) -> None:
    """Look for what a deployment needs.

    Raises:
        ArtifactError: it is not there.
    """
    if not any(model.iterdir()):
        raise ArtifactError("The job left no model in SM_MODEL_DIR: model.tar.gz would be empty, and not be deployed.")
    for name in ("model.json", INFERENCE):
        if not (model / name).is_file():
            raise ArtifactError(f"The job left a model without {name}: it could not be deployed.")


def any_photo(channels: Iterable[Path]) -> Path | None:
    """A photo of the last channel that has one: of test photos, where there are some."""
    return next((photo for folder in reversed(list(channels)) for photo in photo_files(folder)), None)


def _best(body: bytes) -> str:
    try:
        best = json.loads(body)["predictions"][0][0]
        return f"{best['label']} ({best['probability']:.0%})"
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ArtifactError(f"The model answered with {body[:80]!r}, expected predictions.") from error
