from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dogbreed.errors import ConfigError
from launch.requests.request import Request, as_json, canonical_sha256
from launch.requests.validation import check

ROLE = "arn:aws:iam::123456789012:role/dogbreed"
JOB: dict[str, Any] = {
    "TrainingJobName": "dogbreed-1",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/output/"},
    "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
}


def changed(**members: Any) -> Request:
    return Request("CreateTrainingJob", JOB | members)


def test_a_hash_tells_what_is_asked_and_not_in_which_order() -> None:
    backwards = dict(reversed(JOB.items()))
    assert canonical_sha256(backwards) == canonical_sha256(JOB)
    assert canonical_sha256(JOB | {"RoleArn": f"{ROLE}2"}) != canonical_sha256(JOB)


def test_requests_are_shown_as_a_list_of_operations() -> None:
    assert json.loads(as_json([changed(), Request("DeleteModel", {"ModelName": "dogs"})])) == [
        {"operation": "CreateTrainingJob", "request": JOB},
        {"operation": "DeleteModel", "request": {"ModelName": "dogs"}},
    ]


@pytest.mark.parametrize(
    "request_",
    [
        changed(),
        Request("CreateBucket", {"Bucket": "dogs"}, service="s3"),
        Request("GetRole", {"RoleName": "dogbreed"}, service="iam"),
        Request(
            "RegisterScalableTarget",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceId": "endpoint/dogs/variant/AllTraffic",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            },
            service="application-autoscaling",
        ),
        changed(Tags=[{"Key": "dogbreed:request", "Value": "Größe 1 / è"}]),
    ],
)
def test_what_an_api_could_take_passes(request_: Request) -> None:
    check(request_)


@pytest.mark.parametrize(
    ("fault", "members"),
    [
        ('CreateTrainingJob: Missing required parameter in input: "RoleArn"', {"RoleArn": None}),
        ('Unknown parameter in input: "Hope".', {"Hope": 1}),
        ('Unknown parameter in ResourceConfig: "Type".', {"ResourceConfig": {"Type": "ml.g5.xlarge"}}),
        ("CreateTrainingJob.TrainingJobName: expected a text like", {"TrainingJobName": "no_name"}),
        ("CreateTrainingJob.TrainingJobName: expected 63 characters at most, got 64", {"TrainingJobName": "d" * 64}),
        ("CreateTrainingJob.RoleArn: expected a text like", {"RoleArn": "a role without a name, or account"}),
        (
            "CreateTrainingJob.ResourceConfig.InstanceType: expected one of",
            {"ResourceConfig": {"InstanceType": "ml.g4dn.xlarg", "InstanceCount": 1}},
        ),
        ("the nearest ml.g4dn.xlarge", {"ResourceConfig": {"InstanceType": "ml.g4dn.xlarg", "InstanceCount": 1}}),
        (
            "CreateTrainingJob.AlgorithmSpecification.TrainingInputMode: expected one of Pipe, File, FastFile",
            {"AlgorithmSpecification": {"TrainingInputMode": "Fast"}},
        ),
        ("MaximumRetryAttempts: expected 30 at most, got 31", {"RetryStrategy": {"MaximumRetryAttempts": 31}}),
        ("ProfilerConfig.DisableProfiler", {"ProfilerConfig": {"DisableProfiler": "yes"}}),
        ("Environment: key 'A B': expected a text like", {"Environment": {"A B": "1"}}),
        ("CreateTrainingJob.Environment.A: expected 512 characters at most", {"Environment": {"A": "b" * 513}}),
        (
            "HyperParameters: expected 100 entries at most, got 101",
            {"HyperParameters": {f"a{n}": "" for n in range(101)}},
        ),
        ("Tags: expected 50 items at most, got 51", {"Tags": [{"Key": f"a{n}", "Value": ""} for n in range(51)]}),
        ("CreateTrainingJob.Tags[0].Value: expected a text like", {"Tags": [{"Key": "a", "Value": "b;c"}]}),
    ],
)
def test_what_no_api_would_take_is_said_in_one_line_that_names_the_field(fault: str, members: dict[str, Any]) -> None:
    parameters = {key: value for key, value in (JOB | members).items() if value is not None}
    with pytest.raises(ConfigError) as error:
        check(Request("CreateTrainingJob", parameters))
    assert fault in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_without_botocore_a_request_is_answered_with_the_line_that_installs_it() -> None:
    code = (
        "import sys; sys.modules['botocore'] = sys.modules['botocore.loaders'] = None\n"
        "from launch.requests.request import Request; from launch.requests.validation import check\n"
        "from dogbreed.errors import ConfigError\n"
        "try: check(Request('CreateModel', {}))\n"
        "except ConfigError as error: print(error)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert 'pip install -e ".[launch]"' in answer.stdout
