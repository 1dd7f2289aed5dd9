from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from dogbreed.errors import ConfigError
from launch.requests.instances import gpus, has_disks, is_instance_type, processor
from launch.requests.job_settings import JobSettings
from tests.launch.sdk import instance_types

CONF = Path(__file__).parents[3] / "conf" / "job"
OWN = {"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/dogs:1"}
PLAN = "arn:aws:sagemaker:eu-west-1:123456789012:training-plan/dogs"


def test_the_configuration_has_every_setting_with_the_librarys_own_default() -> None:
    given = yaml.safe_load((CONF / "default.yaml").read_text())
    defaults = {field.name: getattr(JobSettings(), field.name) for field in fields(JobSettings)}
    assert given == {name: list(value) if value == () else value for name, value in defaults.items()}
    assert JobSettings(**given).instance_types == ("ml.g4dn.xlarge",)


@pytest.mark.parametrize(
    ("preset", "instance_type"),
    [
        ("public_a", "ml.g4dn.xlarge"),
        ("public_b", "ml.g4dn.xlarge"),
        ("public_c", "ml.c5.2xlarge"),
        ("public_d", "ml.m5.large"),
        ("public_e", "ml.m5.2xlarge"),
    ],
)
def test_a_preset_is_the_machine_of_its_attempt(preset: str, instance_type: str) -> None:
    given = yaml.safe_load((CONF / f"{preset}.yaml").read_text())
    del given["defaults"]
    assert JobSettings(**given).instance_type == instance_type
    assert instance_type in instance_types()


IMPOSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("keeps none warm", {"spot": True, "keep_alive_seconds": 600}),
    ("on demand alone", {"spot": True, "instance_preferences": ["ml.g5.xlarge"]}),
    ("what is spare", {"spot": True, "training_plan": PLAN}),
    ("of one instance type", {"training_plan": PLAN, "instance_preferences": ["ml.g5.xlarge"]}),
    ("set job.spot=true", {"max_wait_seconds": 7200, "max_run_seconds": 3600}),
    ("raise it to job.max_run_seconds", {"spot": True, "max_wait_seconds": 3000, "max_run_seconds": 3600}),
    ("both job.subnets and job.security_groups", {"subnets": ["subnet-1"]}),
    ("both job.subnets and job.security_groups", {"security_groups": ["sg-1"]}),
    ("give job.image, an image of your own", {"network_isolation": True}),
    ("put them into your own job.image", {"network_isolation": True, "requirements": ["timm"], **OWN}),
    ("leave out job.framework_version", {"framework_version": "2.13", **OWN}),
    ("disks of their own", {"volume_kms_key": "key"}),
    ("give job.mlflow_resource", {"mlflow_experiment": "dogs"}),
    ("raise job.instance_count", {"encrypt_traffic": True}),
    ("the nearest is ml.g4dn.xlarge", {"instance_type": "g4dn.xlarge"}),
    ("the nearest is ml.g5.2xlarge", {"instance_preferences": ["ml-g5-2xlarge"]}),
    ("each of them once", {"instance_preferences": ["ml.g4dn.xlarge"]}),
    ("5 instance types at most", {"instance_preferences": [f"ml.g5.{n}xlarge" for n in (2, 4, 8, 12, 16)]}),
    ("that compute alike", {"instance_preferences": ["ml.m5.large"]}),
    ("job.input_mode to be one of File, FastFile", {"input_mode": "Pipe"}),
    ("job.prefix to be folders", {"prefix": "/dogs/"}),
    ("job.prefix to be folders", {"prefix": "dogs//cats"}),
    ("job.spot to be true or false", {"spot": "yes"}),
    ("job.retries to be a whole number", {"retries": True}),
    ("job.volume_gb to be a whole number", {"volume_gb": 1.5}),
    ("job.subnets to be a list of texts", {"subnets": "subnet-1"}),
    ("job.tags to be names with texts", {"tags": {"cost": 7}}),
    ("job.image to be a text", {"image": 7}),
    ("job.hook_parameters to be names with whole numbers", {"hook_parameters": {"train.save_interval": "often"}}),
    ("job.instance_count to be 1 at least", {"instance_count": 0}),
    ("job.max_run_seconds to be", {"max_run_seconds": 29 * 86_400}),
    ("job.max_pending_seconds to be 1800 at least", {"max_pending_seconds": 60}),
    ("job.retries to be 0 at least and 30 at most", {"retries": 31}),
    ("job.keep_alive_seconds to be 0 at least and 21600 at most", {"keep_alive_seconds": 30_000}),
    ("tag project is not yours", {"tags": {"project": "cats"}}),
    ("tag aws:dogs is not yours", {"tags": {"aws:dogs": "1"}}),
    ("AWS Secrets Manager", {"environment": {"HF_TOKEN": "x"}}),
    ("AWS Secrets Manager", {"environment": {"AWS_SECRET_ACCESS_KEY": "x"}}),
    ("AWS Secrets Manager", {"environment": {"AWS_ACCESS_KEY_ID": "x"}}),
    ("AWS Secrets Manager", {"environment": {"db_password": "x"}}),
    ("AWS Secrets Manager", {"environment": {"KAGGLE_KEY": "x"}}),
    ("AWS Secrets Manager", {"environment": {"HARMLESS": "AKIA" + 16 * "A"}}),
]


@pytest.mark.parametrize(("sentence", "settings"), IMPOSSIBLE)
def test_what_no_job_can_be_is_said_in_one_sentence(sentence: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=re.escape(sentence)) as error:
        JobSettings(**settings)
    assert "\n" not in str(error.value)


def test_a_secret_is_not_repeated_where_it_is_refused() -> None:
    with pytest.raises(ConfigError) as error:
        JobSettings(environment={"HF_TOKEN": "the secret itself"})
    assert "HF_TOKEN" in str(error.value)
    assert "the secret itself" not in str(error.value)


def test_variables_that_only_sound_like_secrets_are_taken() -> None:
    variables = {"TOKENIZERS_PARALLELISM": "false", "MONKEY": "1", "KEYBOARD_LAYOUT": "de"}
    assert JobSettings(environment=variables).environment == variables


def test_a_spot_job_waits_for_twice_its_time_unless_it_is_told_how_long() -> None:
    assert JobSettings().wait_seconds is None
    assert JobSettings(spot=True, max_run_seconds=3600).wait_seconds == 7200
    assert JobSettings(spot=True, max_run_seconds=3600, max_wait_seconds=3600).wait_seconds == 3600


def test_every_type_that_sagemaker_trains_on_has_a_name_that_is_taken() -> None:
    assert [name for name in instance_types() if not is_instance_type(name)] == []
    assert {processor(name) for name in instance_types()} == {"cpu", "gpu", "trn"}


def test_gpus_are_counted_as_aws_publishes_them() -> None:
    counted = {name: gpus(name) for name in instance_types()}
    assert [name for name, count in counted.items() if bool(count) != (processor(name) == "gpu")] == []
    published = {
        "ml.g4dn.16xlarge": 1,
        "ml.g4dn.12xlarge": 4,
        "ml.g5.24xlarge": 4,
        "ml.g5.48xlarge": 8,
        "ml.g6e.16xlarge": 1,
        "ml.p3.2xlarge": 1,
        "ml.p3.8xlarge": 4,
        "ml.p2.16xlarge": 16,
        "ml.p4d.24xlarge": 8,
        "ml.p5.4xlarge": 1,
        "ml.p5.48xlarge": 8,
    }
    assert {name: counted[name] for name in published} == published


@pytest.mark.parametrize(
    ("instance_type", "found"),
    [
        ("ml.g4dn.xlarge", True),
        ("ml.p4de.24xlarge", True),
        ("ml.g6e.2xlarge", True),
        ("ml.r5d.large", True),
        ("ml.c5.2xlarge", False),
        ("ml.p3.2xlarge", False),
        ("ml.m7i-flex.large", False),
    ],
)
def test_machines_with_disks_are_known_by_their_names(instance_type: str, found: bool) -> None:
    assert has_disks(instance_type) == found
