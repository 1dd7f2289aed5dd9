from __future__ import annotations

from pathlib import Path

import pytest

from dogbreed.artifacts import load_artifact
from dogbreed.errors import ArtifactError
from dogbreed.job.results import leave_model, leave_rest
from tests.trained_models import save_small


def test_a_model_is_left_as_the_run_has_it(tmp_path: Path) -> None:
    save_small(tmp_path / "run/model")
    (tmp_path / "model").mkdir()
    leave_model(tmp_path / "run", tmp_path / "model")
    assert load_artifact(tmp_path / "model").card == load_artifact(tmp_path / "run/model").card


@pytest.mark.parametrize("file", ["model.safetensors", "model.json"])
def test_a_missing_or_damaged_model_is_told_before_the_job_ends(tmp_path: Path, file: str) -> None:
    save_small(tmp_path / "run/model")
    path = tmp_path / "run/model" / file
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtifactError, match="damaged"):
        leave_model(tmp_path / "run", tmp_path / "model")
    path.unlink()
    with pytest.raises(ArtifactError, match="Expected a model"):
        leave_model(tmp_path / "run", tmp_path / "model")


def test_folders_below_that_are_called_like_those_left_out_are_kept(tmp_path: Path) -> None:
    for name in ("model/a", "checkpoints/a", "debugger/model/a", "history.csv"):
        (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / name).write_text(name)
    leave_rest(tmp_path / "run", tmp_path / "data")
    left = {path.relative_to(tmp_path / "data").as_posix() for path in (tmp_path / "data").rglob("*")}
    assert left == {"debugger", "debugger/model", "debugger/model/a", "history.csv"}
