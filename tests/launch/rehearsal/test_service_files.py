"""That a container finds what SageMaker would lay before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from launch.rehearsal.service_files import write_service_files
from launch.rehearsal.short_run import shortened
from launch.rehearsal.trials import training_jobs
from launch.requests.job_settings import JobSettings
from launch.requests.request import Request
from tests.drawn_photos import draw_folder
from tests.launch.rehearsal.jobs import (
    PLACES,
    channels_of,
    project_archive,
    script_archive,
    training_parameters,
    tuning_request,
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"), classes=2, counts={"train": 2, "valid": 1, "test": 1})


def config(base: Path, name: str) -> Any:
    return json.loads((base / "input/config" / f"{name}.json").read_text())


def test_the_files_say_what_the_request_says(photos: Path, tmp_path: Path) -> None:
    hook = {"S3OutputPath": "s3://bucket/debug", "CollectionConfigurations": [{"CollectionName": "losses"}]}
    job = training_parameters(name="dogs", debugging={"DebugHookConfig": hook})
    (host,) = write_service_files(job, b"the archive", channels_of(photos), tmp_path)
    hyperparameters = config(host.base, "hyperparameters")
    archive = json.loads(hyperparameters.pop("sagemaker_submit_directory"))
    assert Path(archive).read_bytes() == b"the archive"
    sent = {k: v for k, v in job["HyperParameters"].items() if k != "sagemaker_submit_directory"}
    assert hyperparameters == sent
    assert config(host.base, "resourceconfig") == {
        "current_host": "algo-1",
        "current_instance_type": "ml.m5.xlarge",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.xlarge", "hosts": ["algo-1"]}
        ],
        "network_interface_name": "eth0",
    }
    channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
    assert config(host.base, "inputdataconfig") == {"train": channel, "valid": channel, "test": channel}
    assert config(host.base, "debughookconfig") == hook | {"LocalPath": f"{host.base}/output/tensors"}
    assert config(host.base, "checkpointconfig") == {
        "S3Uri": PLACES["checkpoint_uri"],
        "LocalPath": f"{host.base}/checkpoints",
    }
    assert config(host.base, "profilerconfig") == {"DisableProfiler": True}
    assert sorted(path.name for path in (host.base / "input/data").iterdir()) == ["test", "train", "valid"]
    assert len(list((host.base / "input/data/train").glob("*/*.png"))) == 4


def test_any_number_of_hosts_is_two_that_know_of_one_another(photos: Path, tmp_path: Path) -> None:
    job = training_parameters(JobSettings(instance_type="ml.g5.xlarge", instance_count=4))
    first, second = write_service_files(job, b"", channels_of(photos), tmp_path)
    hosts = config(first.base, "resourceconfig")["hosts"]
    assert hosts == sorted(hosts) == [first.name, second.name]
    assert config(second.base, "resourceconfig")["current_host"] == second.name
    assert config(first.base, "hyperparameters") == config(second.base, "hyperparameters")


def test_a_container_without_network_gets_its_source_as_a_channel(photos: Path, tmp_path: Path) -> None:
    job = training_parameters(JobSettings(instance_type="ml.m5.xlarge", network_isolation=True, image="own"))
    (host,) = write_service_files(job, b"the archive", channels_of(photos), tmp_path)
    assert (host.base / "input/data/code/source.tar.gz").read_bytes() == b"the archive"


def test_an_earlier_attempts_checkpoints_are_there(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    job, channels = training_parameters(), channels_of(photos)
    (host,) = write_service_files(job, b"", channels, tmp_path / "job", checkpoints=tmp_path / "kept")
    (host.base / "checkpoints/last.ckpt").touch()
    assert (tmp_path / "kept/last.ckpt").exists()


def test_a_trial_is_the_training_job_that_sagemaker_would_make() -> None:
    request = tuning_request()
    trials = training_jobs(request)
    shared = request.parameters["TrainingJobDefinition"]["StaticHyperParameters"]
    for trial in trials:
        drawn = {name: text for name, text in trial["HyperParameters"].items() if name not in shared}
        assert drawn.keys() == {"_tuning_objective_metric", "model__learning_rate", "data__batch_size"}
        assert drawn["_tuning_objective_metric"] == "val/loss"
        assert 1e-4 <= float(drawn["model__learning_rate"]) <= 1e-2
    assert len({trial["TrainingJobName"] for trial in trials}) == 3
    assert trials == training_jobs(request)


@pytest.mark.parametrize(("given", "epochs"), [("1", None), ("2", None), ("12", "2"), ("null", "2"), (None, "2")])
def test_a_rehearsal_has_two_epochs_unless_the_run_has_fewer(given: str | None, epochs: str | None) -> None:
    archive = project_archive(*([] if given is None else [f"trainer.max_epochs={given}"]))
    job = training_parameters()
    changed = shortened(job, archive)["HyperParameters"]
    assert changed.get("trainer__max_epochs") == epochs
    assert {k: v for k, v in changed.items() if k != "trainer__max_epochs"} == job["HyperParameters"]


@pytest.mark.parametrize(("tuned", "epochs"), [("1", "1"), ("20", "2")])
def test_a_tuned_number_of_epochs_counts_too(tuned: str, epochs: str) -> None:
    job = training_parameters(hyperparameters={"trainer.max_epochs": int(tuned)})
    assert shortened(job, b"no archive")["HyperParameters"]["trainer__max_epochs"] == epochs


def test_a_request_stays_as_it_was(photos: Path, tmp_path: Path) -> None:
    job = training_parameters()
    before = json.dumps(job)
    shortened(job, script_archive(""))
    write_service_files(job, b"", channels_of(photos), tmp_path)
    assert json.dumps(training_jobs(Request("CreateTrainingJob", job))[0]) == json.dumps(job) == before
