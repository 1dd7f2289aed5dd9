from __future__ import annotations

import json
from pathlib import Path

import pytest

from dogbreed.debugging.trial import find_trials
from dogbreed.errors import ConfigError
from dogbreed.job import tensor_recording
from dogbreed.job.tensor_recording import why_nothing_is_recorded, without_recording
from dogbreed.predictor import BreedPredictor
from dogbreed.serving.handler import input_fn, model_fn, output_fn, predict_fn
from tests.debugging.recorded_run import SMDEBUG_WARNING
from tests.drawn_photos import draw_folder
from tests.job.small_job import QUICK, SmallJob

pytestmark = pytest.mark.filterwarnings(SMDEBUG_WARNING)


def test_a_job_that_is_asked_for_tensors_leaves_a_trial_there_and_a_model_that_serves(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos")
    channels = {name: photos / name for name in ("train", "valid", "test")}
    job = SmallJob(tmp_path / "ml", channels, overrides=[*QUICK, "debugger=full", "trainer.max_epochs=1"])
    job.prepare()
    hook = {
        "S3OutputPath": "s3://bucket/debug/",
        "LocalPath": str(job.base / "output/tensors"),
        "HookParameters": {"save_interval": "5"},
        "CollectionConfigurations": [{"CollectionName": "gradients"}, {"CollectionName": "losses"}],
    }
    (job.base / "input/config/debughookconfig.json").write_text(json.dumps(hook))
    assert job.run() == 0, job.output
    assert find_trials(job.base / "output/tensors") == [job.base / "output/tensors"]
    assert (job.base / "output/data/rules.json").exists()

    photo = next((photos / "test").rglob("*.png"))
    predictor = model_fn(str(job.base / "model"))
    body, _ = output_fn(predict_fn(input_fn(photo.read_bytes(), "image/png"), predictor), "application/json")
    expected = BreedPredictor.load(job.run_dir / "model").predict(photo)
    assert [one["label"] for one in json.loads(body)["predictions"][0]] == [one.name for one in expected]


def test_where_smdebug_can_neither_be_imported_nor_installed_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ConfigError("debugger.trial needs smdebug, which cannot be imported.")

    monkeypatch.setattr(tensor_recording, "smdebug_pytorch", missing)
    monkeypatch.setattr(tensor_recording, "INSTALL", (*tensor_recording.INSTALL[:-3], "no-such-package-of-ours"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    reason = why_nothing_is_recorded(tmp_path)
    assert reason is not None
    assert "cannot be imported. pip said: " in reason
    assert "\n" not in reason


def test_what_can_be_imported_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_recording, "INSTALL", ("-c", "raise SystemExit"))
    assert why_nothing_is_recorded(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_the_rules_stay_where_no_tensor_is_recorded() -> None:
    assert without_recording(["debugger=full", "seed=7"]) == ["debugger=full", "seed=7", "debugger.trial=false"]
    assert "debugger=rules" in without_recording(["seed=7"])
