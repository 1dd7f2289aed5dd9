from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import pytest

from dogbreed.epoch_line import METRICS, epoch_line
from dogbreed.errors import ConfigError
from dogbreed.job.hyperparameters import hyperparameters
from dogbreed.tuning.space import LogUniform
from launch.requests.hosted_debugger import hosted_debugger
from launch.requests.hosted_profiler import hosted_profiler
from launch.requests.job_settings import JobSettings
from launch.requests.request import Request
from launch.requests.training import is_distributed, training_definition, training_job
from launch.requests.tuning import tuning_job
from launch.requests.validation import check

ROLE = "arn:aws:iam::123456789012:role/dogbreed"
SOURCE = "s3://bucket/dogbreed/source/abc/source.tar.gz"
MLFLOW = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/dogs"
PLAN = "arn:aws:sagemaker:us-east-1:123456789012:training-plan/dogs"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch:2.13-cu133-amzn2023-sagemaker"
PLACES: dict[str, Any] = {
    "image": IMAGE,
    "role": ROLE,
    "region": "us-east-1",
    "channels": {
        "train": "s3://bucket/dogbreed/photos/1/train/",
        "valid": "s3://bucket/dogbreed/photos/1/valid/",
    },
    "source_uri": SOURCE,
    "output_uri": "s3://bucket/dogbreed/output/",
    "checkpoint_uri": "s3://bucket/dogbreed/checkpoints/abc/",
}
HOSTED: dict[str, Any] = {"region": "us-east-1", "output_uri": "s3://bucket/dogbreed/debug/"}


def job(given: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """A training job that AWS's API could take."""
    request = training_job("dogbreed-1", JobSettings(**settings), **PLACES | (given or {}))
    check(Request("CreateTrainingJob", request))
    return request


def definition(**settings: Any) -> dict[str, Any]:
    """That of a tuning job that AWS's API could take."""
    made = training_definition(JobSettings(**settings), **PLACES)
    space = {"model.learning_rate": LogUniform(1e-4, 1e-2)}
    check(Request("CreateHyperParameterTuningJob", tuning_job("dogs", space, training_job=made)))
    return made


def channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


TOOLKIT = {
    "sagemaker_program": '"container_entry.py"',
    "sagemaker_submit_directory": f'"{SOURCE}"',
    "sagemaker_region": '"us-east-1"',
    "sagemaker_container_log_level": "20",
}
DEFAULT: dict[str, Any] = {
    "RoleArn": ROLE,
    "InputDataConfig": [
        channel("train", "s3://bucket/dogbreed/photos/1/train/"),
        channel("valid", "s3://bucket/dogbreed/photos/1/valid/"),
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/dogbreed/output/"},
    "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 14_400},
    "CheckpointConfig": {
        "S3Uri": "s3://bucket/dogbreed/checkpoints/abc/",
        "LocalPath": "/opt/ml/checkpoints",
    },
    "EnableManagedSpotTraining": False,
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "RetryStrategy": {"MaximumRetryAttempts": 2},
}


def test_the_request_of_the_default_settings_is_this_one() -> None:
    request = job()
    algorithm = request.pop("AlgorithmSpecification")
    assert request == DEFAULT | {
        "TrainingJobName": "dogbreed-1",
        "HyperParameters": TOOLKIT | {"sagemaker_job_name": '"dogbreed-1"'},
        "ProfilerConfig": {"DisableProfiler": True},
    }
    assert algorithm.pop("MetricDefinitions")
    assert algorithm == {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "EnableSageMakerMetricsTimeSeries": True,
    }


def test_the_definition_for_a_search_is_this_one() -> None:
    made = definition()
    algorithm = made.pop("AlgorithmSpecification")
    assert made == DEFAULT | {"StaticHyperParameters": TOOLKIT}
    assert algorithm.keys() == {"TrainingImage", "TrainingInputMode", "MetricDefinitions"}


SAID: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"spot": True, "max_run_seconds": 3600},
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        },
    ),
    (
        {"max_pending_seconds": 7200},
        {"StoppingCondition": {"MaxRuntimeInSeconds": 14_400, "MaxPendingTimeInSeconds": 7200}},
    ),
    ({"retries": 5}, {"RetryStrategy": {"MaximumRetryAttempts": 5}}),
    (
        {"keep_alive_seconds": 600},
        {"ResourceConfig": DEFAULT["ResourceConfig"] | {"KeepAlivePeriodInSeconds": 600}},
    ),
    ({"training_plan": PLAN}, {"ResourceConfig": DEFAULT["ResourceConfig"] | {"TrainingPlanArn": PLAN}}),
    (
        {"instance_type": "ml.c5.2xlarge", "volume_gb": 30, "volume_kms_key": "key"},
        {
            "ResourceConfig": {
                "InstanceType": "ml.c5.2xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
                "VolumeKmsKeyId": "key",
            }
        },
    ),
    (
        {"subnets": ["subnet-1", "subnet-2"], "security_groups": ["sg-1"]},
        {"VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}},
    ),
    (
        {"output_kms_key": "key"},
        {"OutputDataConfig": {"S3OutputPath": "s3://bucket/dogbreed/output/", "KmsKeyId": "key"}},
    ),
    ({"environment": {"OMP_NUM_THREADS": "4"}}, {"Environment": {"OMP_NUM_THREADS": "4"}}),
    (
        {"instance_count": 2, "encrypt_traffic": True},
        {"EnableInterContainerTrafficEncryption": True},
    ),
]


@pytest.mark.parametrize(("settings", "said"), SAID)
def test_what_is_set_is_said_of_a_training_job_and_of_a_search(settings: dict[str, Any], said: dict[str, Any]) -> None:
    for request in (job(**settings), definition(**settings)):
        assert {name: request[name] for name in said} == said


SAID_OF_TRAINING: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"mlflow_resource": MLFLOW, "mlflow_experiment": "dogs"},
        {
            "MlflowConfig": {
                "MlflowResourceArn": MLFLOW,
                "MlflowExperimentName": "dogs",
                "MlflowRunName": "dogbreed-1",
            }
        },
    ),
    (
        {"tensorboard": True},
        {
            "TensorBoardOutputConfig": {
                "S3OutputPath": "s3://bucket/dogbreed/output/",
                "LocalPath": "/opt/ml/checkpoints/run/tensorboard",
            }
        },
    ),
    ({"remote_debug": True}, {"RemoteDebugConfig": {"EnableRemoteDebug": True}}),
    ({"infra_check": True}, {"InfraCheckConfig": {"EnableInfraCheck": True}}),
]


@pytest.mark.parametrize(("settings", "said"), SAID_OF_TRAINING)
def test_what_only_a_training_job_can_be_is_refused_of_a_search(settings: dict[str, Any], said: dict[str, Any]) -> None:
    assert {name: job(**settings)[name] for name in said} == said
    with pytest.raises(ConfigError, match=f"no place for job.{next(iter(settings))}"):
        definition(**settings)


def test_the_entry_point_of_the_image_can_be_replaced_in_a_training_job_alone() -> None:
    assert job(entrypoint=["train"])["AlgorithmSpecification"]["ContainerEntrypoint"] == ["train"]
    with pytest.raises(ConfigError, match="entrypoint"):
        definition(entrypoint=["train"])


def test_tags_are_those_of_the_settings_and_of_the_project() -> None:
    tags = job({"tags": {"project": "dogbreed"}}, tags={"team": "dogs"})["Tags"]
    assert tags == [{"Key": "team", "Value": "dogs"}, {"Key": "project", "Value": "dogbreed"}]


def test_photos_can_be_read_as_they_are_needed() -> None:
    assert job(input_mode="FastFile")["AlgorithmSpecification"]["TrainingInputMode"] == "FastFile"


def test_a_job_without_photos_has_no_channels() -> None:
    assert "InputDataConfig" not in job({"channels": {}})


def test_a_job_without_retries_says_nothing_of_them() -> None:
    assert "RetryStrategy" not in job(retries=0)


@pytest.mark.parametrize(
    ("settings", "distributed"),
    [
        ({}, False),
        ({"instance_type": "ml.m5.large"}, False),
        ({"instance_count": 2}, True),
        ({"instance_type": "ml.g5.12xlarge"}, True),
        ({"instance_preferences": ["ml.g5.12xlarge"]}, True),
    ],
)
def test_several_machines_or_gpus_are_started_by_torchrun(settings: dict[str, Any], distributed: bool) -> None:
    assert is_distributed(JobSettings(**settings)) == distributed
    for sent in (job(**settings)["HyperParameters"], definition(**settings)["StaticHyperParameters"]):
        found = hyperparameters(sent)
        assert found.get("sagemaker_torch_distributed_enabled", False) is distributed
        expected = settings.get("instance_type", "ml.g4dn.xlarge") if distributed else None
        assert found.get("sagemaker_instance_type") == expected


def test_other_types_are_fallen_back_to_in_their_order() -> None:
    settings = {"instance_preferences": ["ml.g5.xlarge", "ml.g6.xlarge"], "instance_count": 2}
    types = ["ml.g4dn.xlarge", "ml.g5.xlarge", "ml.g6.xlarge"]
    assert job(**settings)["ResourceConfig"] == {
        "InstancePreferences": [{"InstanceType": name} for name in types],
        "InstanceCount": 2,
        "VolumeSizeInGB": 50,
    }
    made = definition(**settings)
    assert "ResourceConfig" not in made
    assert made["HyperParameterTuningResourceConfig"] == {
        "InstanceConfigs": [{"InstanceType": name, "InstanceCount": 2, "VolumeSizeInGB": 50} for name in types],
        "AllocationStrategy": "Prioritized",
    }
    with pytest.raises(ConfigError, match="keeps none warm"):
        definition(keep_alive_seconds=60, **settings)


def test_a_container_without_network_is_brought_its_source() -> None:
    settings = {"network_isolation": True, "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/dogs:1"}
    for request in (job(**settings), definition(input_mode="FastFile", **settings)):
        assert request["EnableNetworkIsolation"] is True
        assert request["InputDataConfig"][-1] == channel("code", SOURCE) | {"InputMode": "File"}
        sent = request.get("HyperParameters") or request["StaticHyperParameters"]
        assert json.loads(sent["sagemaker_submit_directory"]) == "/opt/ml/input/data/code/source.tar.gz"


def test_settings_of_the_run_are_sent_as_a_search_sends_them() -> None:
    sent = job({"hyperparameters": {"model.learning_rate": 1e-3, "model.hidden": [512]}})["HyperParameters"]
    assert (sent["model__learning_rate"], sent["model__hidden"]) == ("0.001", "[512]")


def test_every_metric_is_read_off_the_line_of_an_epoch() -> None:
    figures = dict(zip(METRICS, (2.5, 0.125, 1.5, 0.25, 0.5), strict=True))
    line = epoch_line(3, 12, figures, kept=figures, seconds=2.4)
    definitions = job()["AlgorithmSpecification"]["MetricDefinitions"]
    read = {one["Name"]: float(re.search(one["Regex"], line)[1]) for one in definitions}  # type: ignore[index]
    assert read == figures


def test_debugging_takes_the_place_of_the_profiler_that_is_switched_off() -> None:
    debugging = hosted_debugger({"Overfit": {}}, {}, **HOSTED) | hosted_profiler({"ProfilerReport": {}}, **HOSTED)
    before = deepcopy(debugging)
    request = job({"debugging": debugging})
    assert {name: request[name] for name in debugging} == before
    assert request["ProfilerConfig"]["DisableProfiler"] is False


def test_debugger_does_not_go_with_checkpoints_of_several_processes() -> None:
    debugging = hosted_debugger({"Overfit": {}}, {}, **HOSTED)
    with pytest.raises(ConfigError, match="does not go with checkpoints"):
        job({"debugging": debugging}, instance_count=2)
    assert "CheckpointConfig" not in job({"debugging": debugging, "checkpoint_uri": None}, instance_count=2)
    watched = hosted_profiler({"ProfilerReport": {}}, **HOSTED)
    assert job({"debugging": watched}, instance_count=2)["ProfilerConfig"]["DisableProfiler"] is False


@pytest.mark.parametrize(
    ("field", "given", "settings"),
    [
        ("RoleArn", {"role": "the role of dogbreed, by its name"}, {}),
        ("ResourceConfig.InstanceType", {}, {"instance_type": "ml.g4dn.tiny"}),
        ("OutputDataConfig.S3OutputPath", {"output_uri": "bucket/output"}, {}),
        ("VpcConfig.Subnets", {}, {"subnets": ["subnet 1"], "security_groups": ["sg-1"]}),
        ("MlflowConfig.MlflowResourceArn", {}, {"mlflow_resource": "http://localhost:5000"}),
    ],
)
def test_what_only_the_api_knows_to_be_wrong_is_named_by_its_field(
    field: str, given: dict[str, Any], settings: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=rf"CreateTrainingJob\.{field}"):
        job(given, **settings)
