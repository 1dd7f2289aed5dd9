"""`python -m launch.deploy` against an account that moto plays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws
from moto.sagemaker.models import sagemaker_backends

import dogbreed
import launch.endpoints.deploying
from dogbreed import composed_command
from dogbreed.command_line import run_command
from dogbreed.data.photos import decode
from dogbreed.errors import CloudError, DogbreedError
from dogbreed.options import only_options
from launch import deploy as command
from launch.accounts.account import Account
from launch.cleanup import Options as CleanupOptions
from launch.endpoints.deploy_order import Order, dry_run
from launch.endpoints.deploying import deploy as deploying
from launch.endpoints.deployment import deployment
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.endpoint_start import next_step, start
from launch.endpoints.endpoint_wait import wait_until_ready
from launch.endpoints.model_archive import model_archive
from launch.requests.job_settings import JobSettings
from tests.launch.answering_endpoint import Answering, answering, breeds
from tests.launch.model_folders import model_folder

REGION, ACCOUNT, BUCKET = "eu-west-1", "123456789012", "dogs-bucket"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/dogs"
WHERE = (f"job.region={REGION}", f"job.role={ROLE}", f"job.bucket={BUCKET}")
# The command, in a process where torch is not to be had.
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from dogbreed.command_line import run_command
from launch.deploy import command
run_command(command)
"""
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def asked() -> Iterator[Answering]:
    with answering() as played:
        played.says(breeds())
        yield played


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    """One for all tests: to read the API's model takes longer than most of them."""
    return boto3.Session("testing", "testing", region_name=REGION)


@pytest.fixture
def account(session: boto3.Session, asked: Answering, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", asked.url)
    opened = Account(session, REGION, ACCOUNT, ROLE, BUCKET)
    monkeypatch.setattr(launch.endpoints.deploying, "open_account", lambda _: opened)
    with mock_aws():
        place = {"LocationConstraint": REGION}
        session.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return model_folder(tmp_path / "model")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Typed:
    """The command in this process, from a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(composed_command, "keep_freed_memory", lambda: True)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["deploy", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_command(command.command)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def deploy(model: object, settings: EndpointSettings | None = None, **changes: Any) -> str:
    """What is said of a deployment."""
    said = list[str]()
    job = JobSettings(region=REGION, role=ROLE, bucket=BUCKET)
    order = Order(model=str(model), **{"yes": True, **changes})
    deploying(order, settings or EndpointSettings(), job, show=said.append, sleep=lambda _: None)
    return "\n".join(said)


def refused(model: object, settings: EndpointSettings | None = None, **changes: Any) -> str:
    """Why it did not come to an end."""
    with pytest.raises(DogbreedError) as error:
        deploy(model, settings, **changes)
    return str(error.value)


def endpoints(account: Account) -> list[str]:
    return [one["EndpointName"] for one in account.client("sagemaker").list_endpoints()["Endpoints"]]


def test_a_models_folder_becomes_an_endpoint_that_has_answered(
    account: Account, folder: Path, typed: Typed, asked: Answering
) -> None:
    status, out, err = typed(f"model={folder}", *WHERE, "yes=true", "name=dogs")
    assert (status, err) == (0, "")
    assert "price    $0.115 an hour, until it is deleted" in out
    assert "quota    ml.m5.large for endpoint usage: 1 at least" in out
    assert "Asked about a drawn dog, it says Beagle, 75.0%." in out
    assert f"python -m launch.query endpoint=dogs job.region={REGION} PHOTO" in out
    assert "python -m launch.cleanup" in out
    ((path, headers, body),) = asked.asked
    assert (path, headers["content-type"]) == ("/endpoints/dogs/invocations", "image/jpeg")
    assert decode(body).format == "JPEG"
    sagemaker = account.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName="dogs")["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    data = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]["ModelDataUrl"]
    archive = model_archive(folder)
    assert data == f"s3://{BUCKET}/dogbreed/models/{archive.sha256}/model.tar.gz"
    stored = account.client("s3").get_object(Bucket=BUCKET, Key=data.split("/", 3)[3])["Body"].read()
    assert stored == archive.content


def test_the_same_deployment_again_makes_nothing_and_finds_its_endpoint(account: Account, folder: Path) -> None:
    deploy(folder)
    (name,) = endpoints(account)
    assert name.startswith("dogbreed-")
    # Nothing costs, so nothing is asked.
    assert "is there already, with this very model" in deploy(folder, yes=False)
    assert endpoints(account) == [name]


def test_an_endpoint_that_does_not_answer_as_its_model_would_is_deleted_again(
    account: Account, folder: Path, asked: Answering
) -> None:
    for body, reason in (
        (b"<html>", "answered something else than breeds: '<html>'"),
        (breeds("Pug", 1), "It answers as another model does: Pug (1)"),
    ):
        asked.answers.clear()
        asked.says(body)
        said = refused(folder)
        assert reason in said
        assert "is deleted again" in said
        assert "goes on" not in said
        assert endpoints(account) == []


def test_an_endpoint_that_fails_its_test_is_left_where_that_is_wanted(
    account: Account, folder: Path, asked: Answering
) -> None:
    asked.answers.clear()
    asked.model_error(500, "Traceback …\nRuntimeError: no such layer")
    said = refused(folder, keep=True, name="dogs")
    assert "The model of dogs failed (500): RuntimeError: no such layer" in said
    assert "It is kept" in said
    assert endpoints(account) == ["dogs"]


def faulty(
    monkeypatch: pytest.MonkeyPatch, operation: str, fault: BaseException | None, changes: dict[str, str]
) -> None:
    """From when there is an endpoint on, an operation fails, or answers with something else."""
    make = BaseClient._make_api_call

    def played(client: BaseClient, asked: str, parameters: dict[str, Any]) -> Any:
        if asked != operation or "dogs" not in sagemaker_backends[ACCOUNT][REGION].endpoints:
            return make(client, asked, parameters)
        if fault:
            raise fault
        return {**make(client, asked, parameters), **changes}

    monkeypatch.setattr(BaseClient, "_make_api_call", played)


def _deployed(folder: Path, settings: EndpointSettings, **changes: Any) -> None:
    deploy(folder, settings, name="dogs", **changes)


def ended(capsys: pytest.CaptureFixture[str], folder: Path, **changes: Any) -> tuple[int, str]:
    """The status of a deployment that scales, and what it leaves on stderr."""
    settings = EndpointSettings(min_instances=1, max_instances=2)
    with pytest.raises(SystemExit) as left:
        run_command(partial(_deployed, folder, settings, **changes))
    return int(left.value.code or 0), capsys.readouterr().err


EXPIRED = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "It has expired"}}, "DescribeEndpoint")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "is not authorized"}}, "PutScalingPolicy")
OFFLINE = EndpointConnectionError(endpoint_url="https://sagemaker")


@pytest.mark.parametrize(
    ("operation", "fault", "changes", "status", "said"),
    [
        ("DescribeEndpoint", None, {"EndpointStatus": "Creating"}, 1, "error: dogs is Creating after 60 minutes"),
        ("DescribeEndpoint", EXPIRED, {}, 1, "if it was made, dogs goes on"),
        ("DescribeEndpoint", OFFLINE, {}, 1, "if it was made, dogs goes on"),
        ("DescribeEndpoint", KeyboardInterrupt(), {}, 130, "Interrupted; if it was made, dogs goes on"),
        ("InvokeEndpoint", KeyboardInterrupt(), {}, 130, "Interrupted; dogs goes on"),
        ("RegisterScalableTarget", DENIED, {}, 1, "may not do"),
        ("PutScalingPolicy", DENIED, {}, 1, "may not do"),
    ],
    ids=["limit", "expired", "offline", "ctrl_c_waiting", "ctrl_c_asking", "no_target", "no_policy"],
)
def test_whatever_ends_a_deployment_an_endpoint_that_goes_on_is_told_with_the_command_that_ends_it(
    account: Account,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    operation: str,
    fault: BaseException | None,
    changes: dict[str, str],
    status: int,
    said: str,
) -> None:
    faulty(monkeypatch, operation, fault, changes)
    left, err = ended(capsys, folder)
    assert (left, err.count("\n")) == (status, 1), err
    assert said in err
    assert "dogs goes on, and costs $0.115 an hour" in err
    assert endpoints(account) == ["dogs"]
    assert_ends(err.partition("; to end it: ")[2], "dogs")


def assert_ends(line: str, name: str) -> None:
    """A printed command is one that cleaning up understands."""
    typed = line.split()
    assert typed[:3] == ["python", "-m", "launch.cleanup"]
    options = only_options(CleanupOptions, typed[3:])
    assert options == CleanupOptions(delete=name, region=REGION)


def test_the_command_that_ends_a_new_endpoint_is_one_that_cleaning_up_understands(
    account: Account, folder: Path
) -> None:
    said = deploy(folder, name="dogs")
    assert_ends(said.partition("To end it: ")[2].splitlines()[0], "dogs")


def test_an_endpoint_that_is_kept_against_its_test_is_told_as_one_that_goes_on(
    account: Account, folder: Path, asked: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.answers.clear()
    asked.says(b"<html>")
    status, err = ended(capsys, folder, keep=True)
    assert (status, err.count("\n")) == (1, 1)
    assert "It is kept; dogs goes on, and costs" in err


def test_an_endpoint_that_has_failed_or_is_not_there_is_not_told_as_one_that_goes_on(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        faulty(patch, "DescribeEndpoint", None, {"EndpointStatus": "Failed"})
        status, err = ended(capsys, folder)
    assert (status, "which costs nothing" in err, "goes on" in err) == (1, True, False), err
    account.client("sagemaker").delete_endpoint(EndpointName="dogs")
    make = BaseClient._make_api_call

    def interrupted(client: BaseClient, asked: str, parameters: dict[str, Any]) -> Any:
        if asked == "CreateEndpoint":
            raise KeyboardInterrupt
        return make(client, asked, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", interrupted)
    assert ended(capsys, folder) == (130, "")


def test_an_endpoint_that_begins_slowly_is_asked_again(account: Account, folder: Path, asked: Answering) -> None:
    asked.answers.clear()
    asked.says({"message": "Model not ready"}, 429, x_amzn_errortype="ModelNotReadyException")
    asked.says(breeds())
    assert "it says Beagle" in deploy(folder)


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The configurations that endpoints were given: moto knows no UpdateEndpoint."""
    given, make = list[str](), BaseClient._make_api_call

    def played(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if operation != "UpdateEndpoint":
            return make(client, operation, parameters)
        given.append(parameters["EndpointConfigName"])
        found = sagemaker_backends[ACCOUNT][REGION].endpoints[parameters["EndpointName"]]
        found.endpoint_config_name = parameters["EndpointConfigName"]
        return {"EndpointArn": ARN}

    monkeypatch.setattr(BaseClient, "_make_api_call", played)
    return given


def test_an_endpoint_by_its_name_gets_another_model_in_place(
    account: Account, folder: Path, tmp_path: Path, asked: Answering, updates: list[str]
) -> None:
    deploy(folder, name="dogs")
    former = account.client("sagemaker").describe_endpoint(EndpointName="dogs")["EndpointConfigName"]
    other = model_folder(tmp_path / "other", class_names=["Akita", "Beagle", "Pug"])
    assert "is there, and gets this model; it answers meanwhile" in deploy(other, name="dogs")
    assert len(updates) == 1
    assert endpoints(account) == ["dogs"]
    # One that does not answer gives way to the former one, and nothing is deleted.
    asked.answers.clear()
    asked.says(b"<html>")
    taken_back = refused(folder, name="dogs")
    assert "serves its former model again" in taken_back
    assert "goes on" not in taken_back
    assert updates == [updates[0], former, updates[0]]
    assert endpoints(account) == ["dogs"]


def test_nothing_is_made_without_a_yes(account: Account, folder: Path) -> None:
    assert "yes=true" in refused(folder, yes=False)
    assert endpoints(account) == []
    assert account.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_a_training_jobs_model_is_deployed_from_where_it_lies(account: Account, folder: Path) -> None:
    trained(account, "job-1")
    key, s3 = "dogbreed/output/job-1/output/model.tar.gz", account.client("s3")
    # Fault 25: found when deploying, and before anything was made.
    missing = refused("job-1")
    assert f"There is nothing at s3://{BUCKET}/{key}" in missing
    assert "The bucket dogs-bucket is empty" in missing
    s3.put_object(Bucket=BUCKET, Key=key.replace("model", "Model"), Body=b"misnamed")
    assert "there is instead: dogbreed/output/job-1/output/Model.tar.gz" in refused("job-1")
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"damaged")
    assert "cannot be read" in refused("job-1")
    assert endpoints(account) == []
    s3.put_object(Bucket=BUCKET, Key=key, Body=model_archive(folder).content)
    serverless = EndpointSettings(
        kind="serverless", server="torchserve", instance_type=None, memory_mb=3072, max_concurrency=5
    )
    said = deploy("job-1", serverless, register=True)
    assert "by the second of each answer" in said
    assert "waits for approval" in said
    assert len(endpoints(account)) == 1


def trained(account: Account, name: str) -> None:
    account.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/dogbreed/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )


def test_a_job_that_did_not_complete_has_no_model_to_deploy(account: Account) -> None:
    trained(account, "job-2")
    sagemaker_backends[ACCOUNT][REGION].training_jobs["job-2"].training_job_status = "Failed"
    assert "Expected the training job job-2 to be Completed, it is Failed" in refused("job-2")
    assert "neither a folder nor a training job" in refused("job-3")


def test_what_is_no_model_or_no_photo_is_told_before_anything_is_made(account: Account) -> None:
    assert "Expected a model in nowhere/model" in refused("nowhere/model")
    assert "a training job's name, got 'a_job'" in refused("a_job")
    assert "to end in /model.tar.gz" in refused("s3://dogs/model.zip")
    assert "none.jpg cannot be read" in refused("job", photo="none.jpg")
    assert "true, false or json" in refused("job", dry_run="perhaps")
    assert "InstanceType" in refused_plan(instance_type="ml.m5.huge")
    assert "EndpointName" in refused_plan(name="no_name")
    # The command that ends it would end all there is.
    assert "'all' means more to python -m launch.cleanup" in refused("job", name="all")


def refused_plan(name: str | None = None, **settings: Any) -> str:
    with pytest.raises(DogbreedError) as error:
        dry_run(Order(model="job", name=name, dry_run=True), EndpointSettings(**settings), JobSettings())
    return str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["yes=true"], "Expected model=DIR"),
        (["model=job", "endpoint=servrless"], "did you mean serverless?"),
        (["model=job", "endpoint.instance_typ=x"], "did you mean endpoint.instance_type"),
        (["model=job", "endpoint=serverless", "endpoint.instance_type=ml.g4dn.xlarge"], "no instances and no GPU"),
        (["model=job", "yes=sure"], "Expected yes to be true or false"),
        (["modle=job"], "Unknown setting 'modle'"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line_with_status_1(typed: Typed, arguments: list[str], message: str) -> None:
    status, out, err = typed(*arguments, *WHERE)
    assert (status, out, err.count("\n")) == (1, "", 1), err
    assert err.startswith("error: ")
    assert message in err


def test_a_dry_run_needs_no_account_and_works_from_any_folder(folder: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "model=model", "dry_run=json", "register=true", "endpoint=async"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(Path(dogbreed.__file__).parents[1]), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert [one["operation"] for one in json.loads(run.stdout)] == [
        "CreateModelPackageGroup",
        "CreateModelPackage",
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
        "RegisterScalableTarget",
        "PutScalingPolicy",
    ]


class Played(Account):
    """An account whose SageMaker says what a test has written down: moto knows no UpdateEndpoint, and no failure."""

    def __init__(self, session: boto3.Session) -> None:
        super().__init__(session, REGION, ACCOUNT, ROLE, BUCKET)
        clients = {name: session.client(name) for name in ("sagemaker", "logs")}
        object.__setattr__(self, "clients", clients)
        object.__setattr__(self, "stubs", {name: Stubber(client) for name, client in clients.items()})
        for stub in self.stubs.values():  # type: ignore[attr-defined]
            stub.activate()

    def client(self, service: str) -> Any:
        return self.clients[service]  # type: ignore[attr-defined]

    def says(self, method: str, response: dict[str, Any], service: str = "sagemaker") -> None:
        self.stubs[service].add_response(method, response)  # type: ignore[attr-defined]

    def refuses(self, method: str, code: str, message: str, service: str = "sagemaker") -> None:
        self.stubs[service].add_client_error(method, code, message)  # type: ignore[attr-defined]

    def is_done(self) -> None:
        for stub in self.stubs.values():  # type: ignore[attr-defined]
            stub.assert_no_pending_responses()


ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/dogs"
OURS = {"Tags": [{"Key": "project", "Value": "dogbreed"}]}
PLAN = deployment(
    EndpointSettings(),
    name="dogs",
    role=ROLE,
    region=REGION,
    root=f"s3://{BUCKET}/dogbreed",
    model_data=f"s3://{BUCKET}/model.tar.gz",
)


def endpoint(status: str, config: str = PLAN.config_name, **others: Any) -> dict[str, Any]:
    times = dict.fromkeys(("CreationTime", "LastModifiedTime"), 0)
    names = {"EndpointName": "dogs", "EndpointArn": ARN, "EndpointConfigName": config}
    return {**names, **times, "EndpointStatus": status, **others}


@pytest.mark.parametrize(
    ("found", "step"),
    [
        (endpoint("InService"), "adopt"),
        (endpoint("InService", "another"), "update"),
        (endpoint("Failed"), "replace"),
        (endpoint("Creating"), "wait"),
    ],
)
def test_what_is_there_decides_what_is_done(session: boto3.Session, found: dict[str, Any], step: str) -> None:
    played = Played(session)
    played.says("describe_endpoint", found)
    played.says("list_tags", OURS)
    assert next_step(played, PLAN) == step


@pytest.mark.parametrize(
    ("found", "tags", "message"),
    [
        (endpoint("InService"), {"Tags": []}, "not the project's"),
        (endpoint("Deleting"), OURS, "is Deleting"),
        (endpoint("Updating", "another"), OURS, "with another model"),
    ],
)
def test_what_is_not_ours_or_in_motion_is_left_alone(
    session: boto3.Session, found: dict[str, Any], tags: dict[str, Any], message: str
) -> None:
    played = Played(session)
    played.says("describe_endpoint", found)
    played.says("list_tags", tags)
    with pytest.raises(CloudError, match=message):
        next_step(played, PLAN)


def refuse_to_describe(played: Played) -> None:
    for method, arn in (("create_model", "ModelArn"), ("create_endpoint_config", "EndpointConfigArn")):
        described = method.replace("create", "describe")
        played.refuses(described, "ValidationException", "Could not find it")
        played.says(method, {arn: "arn:aws:sagemaker:eu-west-1:123456789012:thing/dogs"})


def test_an_endpoint_that_is_there_gets_the_model_in_place(session: boto3.Session) -> None:
    played, said = Played(session), list[str]()
    refuse_to_describe(played)
    played.says("update_endpoint", {"EndpointArn": ARN})
    played.refuses("describe_endpoint", "ThrottlingException", "Rate exceeded")
    played.says("describe_endpoint", endpoint("Updating", "former"))
    played.says("describe_endpoint", endpoint("InService"))
    start(played, PLAN, "update", show=said.append, sleep=lambda _: None)
    played.is_done()
    assert said[-2:] == ["dogs: Updating, after 0 min", "dogs: InService, after 0 min"]


def test_an_update_that_was_taken_back_is_no_success(session: boto3.Session) -> None:
    played = Played(session)
    played.says("describe_endpoint", endpoint("InService", "former"))
    with pytest.raises(CloudError, match="taken back, and it serves its former model"):
        wait_until_ready(played, "dogs", PLAN.settings, PLAN.config_name, show=lambda _: None, sleep=lambda _: None)


def test_an_update_is_waited_for_while_it_watches_its_instances_twice_and_a_creation_is_not(
    session: boto3.Session,
) -> None:
    settings = EndpointSettings(startup_seconds=60, download_seconds=60, update_wait_seconds=300, canary_percent=10)
    start_looks = (1800 + 60 + 60) // 15
    played, quiet = Played(session), lambda _: None
    for found in [endpoint("Updating", "former")] * (start_looks + 2 * 300 // 15 - 1) + [endpoint("InService")]:
        played.says("describe_endpoint", found)
    wait_until_ready(played, "dogs", settings, PLAN.config_name, show=quiet, sleep=quiet)
    played.is_done()
    for _ in range(start_looks):
        played.says("describe_endpoint", endpoint("Creating"))
    with pytest.raises(CloudError, match="dogs is Creating after 32 minutes"):
        wait_until_ready(played, "dogs", settings, PLAN.config_name, show=quiet, sleep=quiet)
    played.is_done()


def test_a_failed_endpoint_says_why_with_the_end_of_its_log(session: boto3.Session) -> None:
    played = Played(session)
    played.says("describe_endpoint", endpoint("Creating"))
    played.says("describe_endpoint", endpoint("Failed", FailureReason="It did not pass the ping health check."))
    played.says("describe_log_streams", {"logStreams": [{"logStreamName": "AllTraffic/i-1"}]}, "logs")
    events = [{"timestamp": 0, "message": f"line {number}\n"} for number in range(3)]
    played.says("get_log_events", {"events": events}, "logs")
    with pytest.raises(CloudError) as error:
        wait_until_ready(played, "dogs", PLAN.settings, PLAN.config_name, show=lambda _: None, sleep=lambda _: None)
    assert "It did not pass the ping health check; its log ends: line 0 | line 1 | line 2" in str(error.value)
    played.is_done()


def test_a_lost_answer_makes_no_second_endpoint(session: boto3.Session) -> None:
    played = Played(session)
    refuse_to_describe(played)
    played.refuses("create_endpoint", "InternalFailure", "an answer was lost")
    played.says("describe_endpoint", endpoint("Creating"))
    played.says("describe_endpoint", endpoint("InService"))
    start(played, PLAN, "create", show=lambda _: None, sleep=lambda _: None)
    played.is_done()


def test_a_failed_endpoint_is_deleted_and_made_again(session: boto3.Session) -> None:
    played = Played(session)
    played.says("delete_endpoint", {})
    played.says("describe_endpoint", endpoint("Deleting"))
    played.refuses("describe_endpoint", "ValidationException", "Could not find endpoint")
    refuse_to_describe(played)
    played.says("create_endpoint", {"EndpointArn": ARN})
    played.says("describe_endpoint", endpoint("InService"))
    start(played, PLAN, "replace", show=lambda _: None, sleep=lambda _: None)
    played.is_done()


def test_a_model_that_was_made_meanwhile_is_taken_if_it_is_the_same(session: boto3.Session) -> None:
    for sha256, message in ((PLAN.model.parameters["Tags"][1]["Value"], None), ("another", "made from something else")):
        played = Played(session)
        played.refuses("describe_model", "ValidationException", "Could not find model")
        played.refuses("create_model", "ValidationException", "Cannot create already existing model")
        times = {
            "CreationTime": 0,
            "ModelName": "dogs",
            "ModelArn": "arn:aws:sagemaker:eu-west-1:123456789012:model/dogs",
        }
        played.says("describe_model", times)
        played.says("list_tags", {"Tags": [{"Key": "dogbreed:request", "Value": sha256}]})
        played.refuses("describe_endpoint_config", "AccessDeniedException", "perform: sagemaker:Describe")
        expected = message or "may not do"
        with pytest.raises(CloudError, match=expected):
            start(played, PLAN, "create", show=lambda _: None, sleep=lambda _: None)
