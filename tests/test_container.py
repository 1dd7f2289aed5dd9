from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dogbreed.artifacts import load_artifact
from dogbreed.errors import ConfigError
from dogbreed.job.hyperparameters import hyperparameters, overrides
from tests.drawn_photos import draw_folder
from tests.job.small_job import QUICK, SmallJob, started, status, wait_for


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    photos = draw_folder(tmp_path_factory.mktemp("photos") / "photos")
    return {name: photos / name for name in ("train", "valid", "test")}


@pytest.fixture(scope="module")
def job(channels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> SmallJob:
    job = SmallJob(tmp_path_factory.mktemp("job") / "ml", channels, hyperparameters={"model__learning_rate": 0.002})
    assert job.run() == 0, job.output
    return job


def test_a_job_has_the_figures_of_the_same_run_here(job: SmallJob, channels: dict[str, Path], tmp_path: Path) -> None:
    given = [*QUICK, "model.learning_rate=0.002", f"data.root={channels['train'].parent}"]
    here = ["train.py", *given, f"paths.output_dir={tmp_path / 'here'}"]
    assert status(started("dogbreed.train:command", here, tmp_path / "log", {})) == 0, (tmp_path / "log").read_text()
    for file in ("metrics.json", "history.csv"):
        assert (job.base / "output/data" / file).read_text() == (tmp_path / "here" / file).read_text()


def test_a_job_leaves_its_model_with_the_code_that_serves_it_and_all_else_but_checkpoints(job: SmallJob) -> None:
    assert load_artifact(job.base / "model").card == load_artifact(job.run_dir / "model").card
    assert {path.name for path in (job.base / "model").iterdir()} >= {"model.json", "model.safetensors", "code"}
    left = {path.name for path in (job.base / "output/data").iterdir()}
    assert left >= {"metrics.json", "history.csv", "config.yaml", "tensorboard"}
    assert not left & {"model", "checkpoints"}
    assert not (job.base / "output/failure").exists()


def test_the_code_beside_a_model_answers_with_nothing_else_of_this_project(job: SmallJob, tmp_path: Path) -> None:
    photo = next((job.base / "input/data/test").rglob("*.png"))
    asking = (
        "import inference as i, dogbreed; from pathlib import Path\n"
        f"photos = i.input_fn(Path({str(photo)!r}).read_bytes(), 'image/png')\n"
        f"body, media = i.output_fn(i.predict_fn(photos, i.model_fn({str(job.base / 'model')!r})), '*/*')\n"
        "print(dogbreed.__file__, media, body.decode())"
    )
    code = job.base / "model/code"
    command = [sys.executable, "-B", "-c", asking]
    asked = subprocess.run(command, cwd=code, capture_output=True, text=True, check=True, env={"PATH": os.defpath})
    package, media, body = asked.stdout.split(maxsplit=2)
    assert Path(package).is_relative_to(code)
    assert (media, len(json.loads(body)["predictions"])) == ("application/json", 1)
    assert (code / "requirements.txt").read_text().startswith("safetensors==")
    assert not list(code.rglob("*.pyc"))


def test_a_job_that_finds_its_run_complete_leaves_the_results_again(job: SmallJob, tmp_path: Path) -> None:
    again = SmallJob(tmp_path / "ml", job.channels, hyperparameters=job.hyperparameters)
    shutil.copytree(job.base / "checkpoints", again.base / "checkpoints")
    config = again.run_dir / "config.yaml"
    config.write_text(config.read_text().replace(str(job.base), str(again.base)))
    assert again.run() == 0, again.output
    assert "is complete" in again.output
    assert load_artifact(again.base / "model").card == load_artifact(job.base / "model").card


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143)])
def test_a_job_whose_machine_is_taken_ends_as_the_uninterrupted_one(
    job: SmallJob, tmp_path: Path, number: signal.Signals, ending: int
) -> None:
    stopped = SmallJob(tmp_path / "ml", job.channels, hyperparameters=job.hyperparameters)
    process = stopped.start()
    wait_for(lambda: list(stopped.run_dir.glob("checkpoints/resume-*.ckpt")))
    os.kill(process.pid or 0, number)
    assert status(process) == ending, stopped.output
    assert list(stopped.run_dir.glob("checkpoints/resume-*.ckpt"))
    assert not list((stopped.base / "model").iterdir())
    assert not (stopped.base / "output/failure").exists()
    assert stopped.run() == 0, stopped.output
    assert "Resuming from" in stopped.output
    for file in ("metrics.json", "history.csv"):
        assert (stopped.base / "output/data" / file).read_text() == (job.base / "output/data" / file).read_text()


def test_a_trial_has_the_figures_of_the_run_without_a_test_photo_and_leaves_no_model(
    job: SmallJob, tmp_path: Path
) -> None:
    seen = {name: folder for name, folder in job.channels.items() if name != "test"}
    trial = SmallJob(tmp_path / "ml", seen, hyperparameters=job.hyperparameters, trial=True)
    assert trial.run() == 0, trial.output
    history = "output/data/history.csv"
    assert (trial.base / history).read_text() == (job.base / history).read_text()
    epochs = [line[:11] for line in trial.output.splitlines() if line.startswith("epoch")]
    assert epochs == ["epoch   1/2", "epoch   2/2"]
    assert not list((trial.base / "model").iterdir())
    assert [path.name for path in (trial.base / "checkpoints").iterdir()] == ["dogbreed-1"]


# What is changed of a sound job, and a part of the line that must come.
FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "unknown setting": ({"hyperparameters": {"model__lr": 1}}, "did you mean model.learning_rate"),
    "bad value": ({"hyperparameters": {"model__learning_rate": "fast"}}, "Expected model.learning_rate to be a number"),
    "no channel": ({"channels": {}, "overrides": ["data=folder", *QUICK]}, "Expected a channel train"),
    "a channel alone": ({"channels": ["valid"]}, "Expected a channel train"),
    "an empty channel": ({"channels": {"train": "empty"}}, "Expected files in the channel train"),
    "no host knows": ({"hosts": ["algo-1", "algo-2"]}, "Expected torchrun on 2 hosts"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_a_status_and_the_reason_that_the_service_shows(
    fault: str, channels: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    changes, sentence = FAULTS[fault]
    changed = dict(changes)
    if isinstance(found := changed.get("channels"), list):
        changed["channels"] = {name: channels[name] for name in found}
    elif found:
        changed["channels"] = {"train": tmp_path / "empty"}
    job = SmallJob(tmp_path / "ml", **{"channels": channels, **changed})  # type: ignore[arg-type]
    assert job.run() == 1
    assert job.output.startswith("error: ")
    assert job.output.count("\n") == 1
    assert sentence in job.output
    assert job.failure == job.output.removeprefix("error: ")


def test_outside_of_a_job_the_way_to_train_is_told(tmp_path: Path) -> None:
    process = started("dogbreed.container:main", ["entry.py"], tmp_path / "log", {})
    assert status(process) == 1
    assert "python -m dogbreed.train" in (tmp_path / "log").read_text()


def test_a_hyperparameter_is_decoded_where_it_is_json() -> None:
    texts = {
        "a": "1e-05",
        "b": "7",
        "c": "[512, null]",
        "d": "true",
        "e": '"cosine"',
        "f": "cosine",
        "g": "True",
        "h": "None",
        "i": "",
        "j": '{"x": 1}',
        "k": "1e-05 ",
        "l": "'single'",
        "m": "Infinity",
        "n": "0.00001",
    }
    expected = [1e-05, 7, [512, None], True, "cosine", "cosine", "True", "None", "", {"x": 1}, 1e-05, "'single'"]
    decoded = list(hyperparameters(texts).values())
    assert decoded == [*expected, math.inf, 0.00001]
    assert [type(value) for value in decoded[:2]] == [float, int]


def test_what_is_decoded_already_stays() -> None:
    values = {"a": 7, "b": None, "c": [1], "d": "x"}
    assert hyperparameters(values) == values  # type: ignore[arg-type]


def test_settings_become_overrides_in_their_order() -> None:
    given = {"model__learning_rate": 1e-05, "data": "folder", "model__hidden": [512], "model__weights": None, "seed": 7}
    assert overrides(given) == [
        "model.learning_rate=1e-05",
        "data=folder",
        "model.hidden=[512]",
        "model.weights=null",
        "seed=7",
    ]


def test_what_sagemaker_keeps_to_itself_is_left_out() -> None:
    given = {"sagemaker_program": "container.py", "_tuning_objective_metric": "val/loss", "sagemaker_region": "x"}
    assert overrides(given) == []


def test_texts_that_look_like_values_stay_texts() -> None:
    given = {"a": "True", "b": "None", "c": "1e-05", "d": "true"}
    assert overrides(given) == ["a='True'", "b=None", "c='1e-05'", "d='true'"]


def test_a_hyperparameter_that_is_no_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="name of a setting"):
        overrides({"learning-rate": 1})
