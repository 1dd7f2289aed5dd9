from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError
from moto.server import ThreadedMotoServer

from dogbreed.errors import CloudError
from launch.accounts.account import Account
from launch.accounts.session import client_options
from launch.jobs.job_kinds import kind_of
from launch.jobs.sending import send
from launch.jobs.stopping import stop
from launch.requests.request import Request
from launch.requests.tags import OF_REQUEST, PROJECT, tag_list
from tests.launch.losing_answers import losing_answers
from tests.launch.scripted_aws import ACCOUNT_ID, BUCKET, REGION, ROLE, ScriptedAws, leave_aws_alone, use_moto

NAME = "dogbreed-0123456789ab"
SHA256 = "0123456789ab" + "0" * 52


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leave_aws_alone(monkeypatch, tmp_path)


def request(sha256: str = SHA256, **changes: Any) -> Request:
    parameters = {
        "TrainingJobName": NAME,
        "HyperParameters": {"sagemaker_job_name": f'"{NAME}"'},
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/dogbreed/output/"},
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "Tags": tag_list(PROJECT | {OF_REQUEST: sha256}),
    }
    return Request("CreateTrainingJob", parameters | changes)


TUNING = Request(
    "CreateHyperParameterTuningJob",
    {
        "HyperParameterTuningJobName": NAME,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        },
        "Tags": tag_list(PROJECT | {OF_REQUEST: SHA256}),
    },
)


class Jobs:
    """The service's jobs, made by what is asked; statuses are the test's."""

    def __init__(self, aws: ScriptedAws, **statuses: str) -> None:
        self.found = {name.replace("_", "-"): (status, SHA256) for name, status in statuses.items()}
        aws.answers |= {
            "DescribeTrainingJob": lambda asked: self.described(asked["TrainingJobName"]),
            "CreateTrainingJob": self.created,
            "ListTags": self.tags,
            "StopTrainingJob": [{}],
        }

    def described(self, name: str) -> Any:
        if name not in self.found:
            return "ValidationException", "Requested resource not found."
        return {"TrainingJobName": name, "TrainingJobArn": arn(name), "TrainingJobStatus": self.found[name][0]}

    def created(self, asked: dict[str, Any]) -> Any:
        name = asked["TrainingJobName"]
        if name in self.found:
            return "ResourceInUse", "Training job names must be unique within an AWS account and region."
        self.found[name] = ("InProgress", {tag["Key"]: tag["Value"] for tag in asked["Tags"]}[OF_REQUEST])
        return {"TrainingJobArn": arn(name)}

    def tags(self, asked: dict[str, Any]) -> Any:
        name = asked["ResourceArn"].rpartition("/")[2]
        return {"Tags": tag_list(PROJECT | {OF_REQUEST: self.found[name][1]})}


def arn(name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:training-job/{name}"


def test_a_job_is_created_under_the_name_of_its_request() -> None:
    aws = ScriptedAws()
    Jobs(aws)
    assert send(aws.account, request()) == NAME
    assert aws.named("CreateTrainingJob") == [dict(request().parameters)]


# One that is stopping still writes the checkpoints that the next attempt would begin from.
@pytest.mark.parametrize("status", ["InProgress", "Completed", "Stopping"])
def test_a_job_of_the_same_request_is_found_rather_than_made(status: str) -> None:
    aws, said = ScriptedAws(), list[str]()
    Jobs(aws, **{NAME: status})
    assert send(aws.account, request(), show=said.append) == NAME
    assert aws.named("CreateTrainingJob") == []
    assert said == [f"{NAME} is there already ({status}): the same request, so nothing new is sent."]


def test_the_name_of_another_requests_job_is_not_taken() -> None:
    aws = ScriptedAws()
    Jobs(aws, **{NAME: "Completed"})
    with pytest.raises(CloudError, match=f"The name {NAME} is taken"):
        send(aws.account, request(sha256="f" * 64))
    assert aws.named("CreateTrainingJob") == []


def test_after_failures_the_next_attempt_has_its_own_name_everywhere_in_the_request() -> None:
    aws = ScriptedAws()
    Jobs(aws, **{NAME: "Failed", f"{NAME}-2": "Stopped"})
    assert send(aws.account, request()) == f"{NAME}-3"
    (made,) = aws.named("CreateTrainingJob")
    assert (made["TrainingJobName"], made["HyperParameters"]) == (
        f"{NAME}-3",
        {"sagemaker_job_name": f'"{NAME}-3"'},
    )
    assert made["Tags"] == request().parameters["Tags"]
    assert send(aws.account, request()) == f"{NAME}-3"
    assert len(aws.named("CreateTrainingJob")) == 1


def test_a_job_that_somebody_made_between_looking_and_creating_is_found() -> None:
    aws = ScriptedAws()
    service = Jobs(aws)
    looks = [("ValidationException", "Requested resource not found.")]
    service.found[NAME] = ("InProgress", SHA256)
    aws.answers["DescribeTrainingJob"] = lambda asked: looks.pop() if looks else service.described(NAME)
    assert send(aws.account, request()) == NAME
    assert len(aws.named("CreateTrainingJob")) == 1


def test_a_connection_that_breaks_before_the_service_has_the_request_is_an_error_and_no_job() -> None:
    aws = ScriptedAws()
    service = Jobs(aws)
    aws.answers["CreateTrainingJob"] = [ConnectionClosedError(endpoint_url="https://aws")]
    with pytest.raises(CloudError, match="cut off; give the same command again"):
        send(aws.account, request())
    assert service.found == {}


@pytest.fixture(scope="module")
def moto_port() -> Iterator[int]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.mark.parametrize("lost", [1, 9])
def test_a_lost_answer_ends_in_exactly_one_job(moto_port: int, monkeypatch: pytest.MonkeyPatch, lost: int) -> None:
    use_moto(monkeypatch)
    monkeypatch.setattr("launch.accounts.account.client_options", lambda: client_options(attempts=2))
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/photos/"}}
    channels = [{"ChannelName": "train", "DataSource": source}]
    sent = request(TrainingJobName=f"dogbreed-lost{lost}", InputDataConfig=channels)
    with losing_answers(moto_port, "CreateTrainingJob", lost) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        account = Account(boto3.Session(region_name=REGION), REGION, ACCOUNT_ID, ROLE, BUCKET)
        assert send(account, sent) == send(account, sent) == f"dogbreed-lost{lost}"
        found = account.client("sagemaker").list_training_jobs(NameContains=f"lost{lost}")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in found] == [f"dogbreed-lost{lost}"]


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        (
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.g4dn.xlarge for training job usage' is 0 Instances",
            "quota 'ml.g4dn.xlarge for training job usage' is 0",
        ),
        (
            "AccessDeniedException",
            "User: a is not authorized to perform: iam:PassRole on resource: b",
            r"may not do iam:PassRole: .*launch\.permissions",
        ),
        ("ValidationException", "Could not assume role dogs.", "CreateTrainingJob: Could not assume role dogs."),
    ],
)
def test_a_refused_job_is_one_line(code: str, message: str, line: str) -> None:
    aws = ScriptedAws()
    service = Jobs(aws)
    aws.answers["CreateTrainingJob"] = [(code, message)]
    with pytest.raises(CloudError, match=line) as error:
        send(aws.account, request())
    assert "\n" not in str(error.value)
    assert service.found == {}


def test_a_tuning_job_is_sent_and_found_in_the_same_way() -> None:
    aws = ScriptedAws()
    found = {
        "HyperParameterTuningJobStatus": "InProgress",
        "HyperParameterTuningJobArn": arn(NAME).replace("training-job", "hyper-parameter-tuning-job"),
    }
    missing = ("ResourceNotFound", "Amazon SageMaker can't find a tuning job with that name.")
    aws.answers |= {
        "DescribeHyperParameterTuningJob": [missing, found],
        "CreateHyperParameterTuningJob": [{"HyperParameterTuningJobArn": "arn"}],
        "ListTags": [{"Tags": TUNING.parameters["Tags"]}],
    }
    assert send(aws.account, TUNING) == send(aws.account, TUNING) == NAME
    assert len(aws.named("CreateHyperParameterTuningJob")) == 1


def test_a_job_that_runs_is_stopped_and_one_that_has_ended_is_left() -> None:
    aws = ScriptedAws()
    Jobs(aws, a="InProgress", b="Completed")
    stop(aws.account, "a", "training")
    stop(aws.account, "b", "training")
    assert aws.named("StopTrainingJob") == [{"TrainingJobName": "a"}]
    with pytest.raises(CloudError, match="no training job c in eu-west-1"):
        stop(aws.account, "c", "training")


def test_the_kind_of_a_job_is_found_by_its_name() -> None:
    aws = ScriptedAws()
    Jobs(aws, a="InProgress")
    missing = ("ResourceNotFound", "Amazon SageMaker can't find a tuning job with that name.")
    aws.answers["DescribeHyperParameterTuningJob"] = lambda asked: (
        {} if asked["HyperParameterTuningJobName"] == "b" else missing
    )
    client = aws.account.client("sagemaker")
    assert [kind_of(client, name) for name in "ab"] == ["training", "tuning"]
    with pytest.raises(CloudError, match="no job c in eu-west-1"):
        kind_of(client, "c")
