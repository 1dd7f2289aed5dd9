from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dogbreed.errors import ConfigError, DataError
from dogbreed.job.environment import JobEnvironment, read_environment
from dogbreed.job.settings import job_overrides
from dogbreed.job.shipped_run import ShippedRun, read_run

VARIABLES = {
    "SM_HPS": '{"model__dropout": 0.5}',
    "SM_CHANNELS": '["train", "valid"]',
    "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
    "SM_CHANNEL_VALID": "/opt/ml/input/data/valid",
    "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
    "SM_OUTPUT_DIR": "/opt/ml/output",
    "SM_HOSTS": '["algo-1", "algo-2"]',
    "TRAINING_JOB_NAME": "dogbreed-1",
}
TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}


def environment(folder: Path, *channels: str, **changes: str) -> JobEnvironment:
    """Of a job on one host, with a file in each channel."""
    for name in channels:
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "file").write_text("")
    folders = {f"SM_CHANNEL_{name.upper()}": str(folder / name) for name in channels}
    own = {"SM_CHANNELS": json.dumps(channels), "SM_INPUT_CONFIG_DIR": str(folder), "SM_HOSTS": '["algo-1"]'}
    return read_environment({**VARIABLES, **own, **folders, **changes})


def test_the_toolkits_variables_are_a_job() -> None:
    job = read_environment({**VARIABLES, **TORCHRUN})
    assert job.channels == {"train": Path("/opt/ml/input/data/train"), "valid": Path("/opt/ml/input/data/valid")}
    assert (job.hyperparameters, job.hosts, job.name) == ({"model__dropout": 0.5}, 2, "dogbreed-1")
    assert (job.rank, job.world_size, job.processes, job.writes) == (5, 8, 4, False)
    assert read_environment(VARIABLES).writes


@pytest.mark.parametrize(("name", "value"), [("SM_HPS", "no JSON"), ("SM_HOSTS", "many"), ("SM_HPS", "7")])
def test_an_environment_that_is_not_the_toolkits_is_told(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match="training toolkit"):
        read_environment({**VARIABLES, name: value})
    with pytest.raises(ConfigError, match=f"has not set {name}"):
        read_environment({key: text for key, text in VARIABLES.items() if key != name})


def test_channels_named_as_splits_are_the_folder_that_has_them(tmp_path: Path) -> None:
    found = job_overrides(["seed=7"], environment(tmp_path, "train", "valid", "test"), trial=False)
    assert found == [
        "data=folder",
        "seed=7",
        "paths=sagemaker",
        f"data.root={tmp_path}",
        "data.source=null",
        "trainer.devices=1",
    ]


def test_a_choice_of_data_stays_and_its_photos_come_from_the_channel(tmp_path: Path) -> None:
    found = job_overrides(["data=dogs"], environment(tmp_path, "photos"), trial=False)
    assert found[:4] == ["data=dogs", "paths=sagemaker", f"data.root={tmp_path / 'photos'}", "data.source=null"]


def test_without_a_channel_the_run_finds_its_photos_as_on_any_machine(tmp_path: Path) -> None:
    assert job_overrides(["data=sample"], environment(tmp_path), trial=False) == [
        "data=sample",
        "paths=sagemaker",
        "trainer.devices=1",
    ]


def test_weights_are_the_one_file_of_their_channel(tmp_path: Path) -> None:
    job = environment(tmp_path, "weights")
    assert f"model.weights={tmp_path / 'weights/file'}" in job_overrides([], job, trial=False)
    (tmp_path / "weights/another").write_text("")
    with pytest.raises(ConfigError, match="Expected one file in the channel weights, found 2"):
        job_overrides([], job, trial=False)


def test_a_channel_without_files_is_named(tmp_path: Path) -> None:
    job = environment(tmp_path, "train", "valid")
    (tmp_path / "valid/file").unlink()
    with pytest.raises(DataError, match="Expected files in the channel valid"):
        job_overrides([], job, trial=False)


def test_a_trial_keeps_its_state_beside_that_of_others(tmp_path: Path) -> None:
    found = job_overrides([], environment(tmp_path), trial=True)
    assert found[-1] == "paths.output_dir='${paths.checkpoints_dir}/dogbreed-1'"


def test_a_trial_without_a_name_could_go_on_from_anothers_state(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TRAINING_JOB_NAME"):
        job_overrides([], environment(tmp_path, TRAINING_JOB_NAME=""), trial=True)


def test_processes_of_torchrun_are_devices_and_hosts(tmp_path: Path) -> None:
    several = {**TORCHRUN, "SM_HOSTS": '["algo-1", "algo-2"]'}
    found = job_overrides([], environment(tmp_path, **several), trial=False)
    assert found[-2:] == ["trainer.devices=4", "++trainer.num_nodes=2"]
    with pytest.raises(ConfigError, match="Expected torchrun on 2 hosts"):
        job_overrides([], environment(tmp_path, SM_HOSTS='["algo-1", "algo-2"]'), trial=False)


def test_a_job_that_is_asked_for_tensors_records_what_its_configuration_says(tmp_path: Path) -> None:
    (tmp_path / "debughookconfig.json").write_text("{}")
    found = job_overrides([], environment(tmp_path), trial=False)
    assert found[-2:] == [f"debugger.job_configuration={tmp_path}/debughookconfig.json", "debugger.trial=true"]


def run_of(folder: Path, content: Any) -> ShippedRun:
    (folder / "run.json").write_text(json.dumps(content))
    return read_run(folder / "run.json")


def test_a_trial_was_not_sent_test_photos_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    assert run_of(tmp_path, {"overrides": ["seed=7"], "trial": False}) == ShippedRun(("seed=7",), False, ())
    assert run_of(tmp_path, {"overrides": [], "trial": True}).left_out == ("test",)
    assert run_of(tmp_path, {"overrides": [], "trial": True, "left_out": []}).left_out == ()


@pytest.mark.parametrize("content", [7, {}, {"overrides": []}, {"overrides": 7, "trial": False}])
def test_another_run_json_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(ConfigError, match="Expected the settings of a run"):
        run_of(tmp_path, content)


def test_no_run_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run\.json, but: No such file"):
        read_run(tmp_path / "run.json")
