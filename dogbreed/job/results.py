"""What a complete run leaves to the service: the model with the code that serves it, and all else but the state."""

from __future__ import annotations

import shutil
from pathlib import Path

from dogbreed.artifacts import load_artifact
from dogbreed.errors import ArtifactError
from dogbreed.serving.code_folder import write_code

# The artifact has a place of its own, and checkpoints are of no use to a run that is complete.
ELSEWHERE = ("model", "checkpoints")


def leave_model(run_dir: Path, model_dir: Path) -> None:
    """Copy the artifact of a run, and read the copy: what cannot be deployed is told before the job ends.

    Args:
        run_dir: of the run.
        model_dir: may exist, and may be a mount point.

    Raises:
        ArtifactError: the run has left no model or a damaged one, or the copy is not what the run has left.
    """
    card = load_artifact(run_dir / "model").card
    shutil.copytree(run_dir / "model", model_dir, dirs_exist_ok=True)
    write_code(model_dir / "code", card["architecture"]["backbone"])
    if load_artifact(model_dir).card != card:
        raise ArtifactError(f"The model in {model_dir} is not the one that the run has left in {run_dir / 'model'}.")


def leave_rest(run_dir: Path, output_data_dir: Path) -> None:
    """Copy what else a run has left: figures, history, report, what was recorded."""

    def elsewhere(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name in ELSEWHERE and Path(folder) == run_dir]

    shutil.copytree(run_dir, output_data_dir, dirs_exist_ok=True, ignore=elsewhere)
