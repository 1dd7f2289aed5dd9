from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dogbreed.command_line import run_command
from dogbreed.errors import CloudError
from launch import cleanup
from launch.accounts import account as account_module
from launch.housekeeping.ending import ENDINGS, end
from launch.housekeeping.living import CONFIG, ENDPOINT, MODEL, POOL, TRAINING, TUNING, Living, living
from launch.planning import confirmation
from launch.requests.tags import PROJECT, tag_list
from tests.launch.scripted_aws import ACCOUNT_ID, BUCKET, REGION, ROLE, ScriptedAws, leave_aws_alone, use_moto

OURS, THEIRS = tag_list(PROJECT), [{"Key": "project", "Value": "cats"}]
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:"
MADE = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


class Command:
    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["cleanup", *arguments])
        with pytest.raises(SystemExit) as ended:
            run_command(cleanup.main)
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(capsys, monkeypatch)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """An account with an endpoint and objects of ours, and the same of somebody else."""
    leave_aws_alone(monkeypatch, tmp_path)
    use_moto(monkeypatch)
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT_ID)
    with mock_aws():
        sagemaker, s3 = boto3.client("sagemaker", REGION), boto3.client("s3", REGION)
        make_endpoint(sagemaker, "dogs", OURS, "ml.g4dn.xlarge")
        make_endpoint(sagemaker, "cats", THEIRS, "ml.m5.large")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key in ("dogbreed/source/1/source.tar.gz", "dogbreed/photos/1/a.jpg", "dogbreed-2/a.jpg", "cats/a.jpg"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"12345")
        yield sagemaker


def make_endpoint(sagemaker: Any, name: str, tags: Any, instance_type: str) -> None:
    container = {"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker.create_model(ModelName=f"{name}-model", PrimaryContainer=container, ExecutionRoleArn=ROLE, Tags=tags)
    variant = {"VariantName": "AllTraffic", "ModelName": f"{name}-model", "InstanceType": instance_type}
    sagemaker.create_endpoint_config(
        EndpointConfigName=f"{name}-config", ProductionVariants=[variant | {"InitialInstanceCount": 2}], Tags=tags
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-config", Tags=tags)
    target = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    boto3.client("application-autoscaling", REGION).register_scalable_target(
        **target, ResourceId=f"endpoint/{name}/variant/AllTraffic", MinCapacity=1, MaxCapacity=2
    )


def names(sagemaker: Any) -> set[str]:
    scaling = boto3.client("application-autoscaling", REGION).describe_scalable_targets(ServiceNamespace="sagemaker")
    return {
        *(one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]),
        *(one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]),
        *(one["ModelName"] for one in sagemaker.list_models()["Models"]),
        *(one["ResourceId"] for one in scaling["ScalableTargets"]),
    }


def keys() -> set[str]:
    found = boto3.client("s3", REGION).list_objects_v2(Bucket=BUCKET)
    return {one["Key"] for one in found["Contents"]}


DOGS = {"dogs", "dogs-config", "dogs-model", "endpoint/dogs/variant/AllTraffic"}
CATS = {name.replace("dogs", "cats") for name in DOGS}


def test_what_is_alive_is_shown_with_its_price_and_nothing_of_others(moto: Any, command: Command) -> None:
    status, out, err = command()
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert [line.split("  ")[0] for line in lines[:3]] == ["endpoint", "endpoint configuration", "model"]
    assert "$1.472/h" in lines[0] and "InService" in lines[0]
    assert lines[3].startswith("about $1.472 an hour, estimated")
    assert lines[4] == f"s3://{BUCKET}/dogbreed/: 2 objects, 10 B; delete=s3 removes them"
    assert "cats" not in out
    assert names(moto) == DOGS | CATS


def test_an_endpoint_goes_with_its_parts_and_its_scaling_and_nothing_else_does(moto: Any, command: Command) -> None:
    status, out, err = command("delete=dogs", "yes=true")
    assert (status, err) == (0, "")
    assert out.splitlines()[-3:] == [
        "endpoint dogs: is deleted",
        "endpoint configuration dogs-config: is deleted",
        "model dogs-model: is deleted",
    ]
    assert names(moto) == CATS
    assert len(keys()) == 4
    status, out, _ = command("delete=all", "yes=true")
    assert (status, out.splitlines()[0]) == (0, "Nothing with the tag project=dogbreed is alive.")


def test_all_is_all_that_is_shown_and_leaves_s3(moto: Any, command: Command) -> None:
    make_endpoint(moto, "puppies", OURS, "ml.m5.large")
    assert command("delete=all", "yes=true")[0] == 0
    assert names(moto) == CATS
    assert len(keys()) == 4


def test_a_model_that_another_endpoint_needs_stays(moto: Any, command: Command) -> None:
    moto.create_endpoint(EndpointName="dogs2", EndpointConfigName="dogs-config", Tags=OURS)
    assert command("delete=dogs", "yes=true")[0] == 0
    assert names(moto) - CATS == {"dogs2", "dogs-config", "dogs-model"}


def make_namesake(sagemaker: Any) -> None:
    """An endpoint with the name of its configuration, which another endpoint has, too."""
    variant = {"VariantName": "AllTraffic", "ModelName": "dogs-model", "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="same", ProductionVariants=[variant | {"InitialInstanceCount": 1}], Tags=OURS
    )
    for name in ("same", "other"):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="same", Tags=OURS)


def test_a_name_of_an_endpoint_and_its_configuration_is_the_endpoint_while_another_needs_the_configuration(
    moto: Any, command: Command
) -> None:
    make_namesake(moto)
    assert command("delete=same", "yes=true")[0] == 0
    assert [one["EndpointConfigName"] for one in moto.list_endpoint_configs()["EndpointConfigs"] if "same" in str(one)]
    assert "other" in names(moto) and not [
        one for one in moto.list_endpoints()["Endpoints"] if one["EndpointName"] == "same"
    ]
    assert command("delete=other", "yes=true")[0] == 0
    assert names(moto) == DOGS | CATS


def test_a_part_that_was_named_stays_while_an_endpoint_needs_it(moto: Any, command: Command) -> None:
    status, out, _ = command("delete=dogs-config,dogs-model", "yes=true")
    assert (status, out.count("since an endpoint needs it")) == (0, 2)
    assert names(moto) == DOGS | CATS


def test_all_ends_what_endpoints_share(moto: Any, command: Command) -> None:
    make_namesake(moto)
    assert command("delete=all", "yes=true")[0] == 0
    assert names(moto) == CATS


def test_an_endpoint_whose_configuration_is_gone_is_shown_and_ended_all_the_same(moto: Any, command: Command) -> None:
    moto.delete_endpoint_config(EndpointConfigName="dogs-config")
    assert "price not known" in command()[1].splitlines()[0]
    assert command("delete=dogs", "yes=true")[0] == 0
    assert names(moto) == CATS | {"dogs-model"}


def test_s3_is_emptied_below_the_prefix_alone(moto: Any, command: Command) -> None:
    status, out, _ = command("delete=s3", "yes=true")
    assert (status, out.splitlines()[-1]) == (0, "2 objects are removed.")
    assert keys() == {"dogbreed-2/a.jpg", "cats/a.jpg"}
    assert names(moto) == DOGS | CATS


@pytest.mark.parametrize("name", ["cats", "dog"])
def test_what_is_not_ours_or_not_there_cannot_be_named(moto: Any, command: Command, name: str) -> None:
    status, out, err = command(f"delete={name}", "yes=true")
    assert (status, out) == (1, "")
    assert err.startswith(f"error: There is nothing of the project with the name '{name}', but dogs,")
    assert names(moto) == DOGS | CATS


@pytest.mark.parametrize("answer", ["n", "", None])
def test_nothing_is_ended_without_a_yes(
    moto: Any, command: Command, monkeypatch: pytest.MonkeyPatch, answer: str | None
) -> None:
    if answer is not None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setitem(confirmation.confirm.__kwdefaults__, "ask", lambda _: answer)  # type: ignore[arg-type]
    status, out, err = command("delete=all,s3")
    assert (status, err.count("\n")) == (1, 1)
    assert "to end: endpoint dogs" in out
    assert "to remove: 2 objects" in out
    assert names(moto) == DOGS | CATS and len(keys()) == 4


def test_what_an_endpoint_is_made_of_stays_while_it_could_not_be_deleted(
    moto: Any, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise CloudError("The endpoint cannot be deleted now.")

    monkeypatch.setitem(ENDINGS, ENDPOINT, ("is deleted", refused))
    status, out, err = command("delete=all", "yes=true")
    assert (status, err) == (1, "error: The endpoint cannot be deleted now.\n")
    assert out.count("is kept, since an endpoint could not be deleted") == 2
    assert names(moto) == DOGS | CATS


def test_a_tag_that_was_taken_off_meanwhile_saves_what_carried_it(moto: Any) -> None:
    account = account_module.asked_account(cleanup.Options(region=REGION))[0]
    (found,) = [one for one in living(moto) if one.kind == ENDPOINT]
    moto.delete_tags(ResourceArn=found.arn, TagKeys=["project"])
    with pytest.raises(CloudError, match="does not carry the tag project=dogbreed"):
        end(account, found)
    assert "dogs" in names(moto)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ScriptedAws:
    """A training job, a tuning job and a warm pool of ours that run, and a job of somebody else."""
    leave_aws_alone(monkeypatch, tmp_path)
    aws = ScriptedAws()
    machines = {"ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1}}
    tuning = {
        "HyperParameterTuningJobName": "dogbreed-3",
        "HyperParameterTuningJobArn": f"{SAGEMAKER}hyper-parameter-tuning-job/dogbreed-3",
        "CreationTime": MADE,
    }
    aws.answers |= {
        "ListTrainingJobs": lambda asked: {
            "TrainingJobSummaries": [summary("dogbreed-2", WarmPoolStatus={"Status": "Available"})]
            if asked.get("WarmPoolStatusEquals")
            else [summary("dogbreed-1"), summary("cats")]
        },
        "DescribeTrainingJob": [machines | {"SecondaryStatus": "Training"}],
        "ListHyperParameterTuningJobs": [{"HyperParameterTuningJobSummaries": [tuning]}],
        "DescribeHyperParameterTuningJob": [
            {"TrainingJobStatusCounters": {"InProgress": 2}, "TrainingJobDefinition": machines}
        ],
        "ListTransformJobs": [{"TransformJobSummaries": []}],
        "ListEndpoints": [{"Endpoints": []}],
        "ListEndpointConfigs": [{"EndpointConfigs": []}],
        "ListModels": [{"Models": []}],
        "ListTags": lambda asked: {"Tags": OURS if "dogbreed" in asked["ResourceArn"] else THEIRS},
        "GetCallerIdentity": [{"Account": ACCOUNT_ID, "Arn": f"arn:aws:iam::{ACCOUNT_ID}:user/anna"}],
        "HeadBucket": [("404", "Not Found")],
        "StopTrainingJob": [{}],
        "StopHyperParameterTuningJob": [{}],
        "UpdateTrainingJob": [{}],
    }
    monkeypatch.setattr(account_module, "open_session", lambda _: (aws.session, REGION))
    return aws


def summary(name: str, **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"{SAGEMAKER}training-job/{name}",
        "CreationTime": MADE,
        **more,
    }


def test_jobs_and_warm_pools_are_shown_and_their_sum(jobs: ScriptedAws, command: Command) -> None:
    status, out, _ = command()
    assert status == 0
    assert out.splitlines()[:3] == [
        "tuning job    dogbreed-3  2026-11-28 12:00  $1.472/h  2 trials running",
        "training job  dogbreed-1  2026-11-28 12:00  $0.736/h  Training",
        "warm pool     dogbreed-2  2026-11-28 12:00  $0.736/h  kept for the next job",
    ]
    assert out.splitlines()[3].startswith("about $2.944 an hour, estimated")


def test_trials_are_shown_and_stopped_with_their_tuning_job_alone(jobs: ScriptedAws, command: Command) -> None:
    machines = {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1}
    trial = {"TuningJobArn": f"{SAGEMAKER}hyper-parameter-tuning-job/dogbreed-3"}
    jobs.answers["DescribeTrainingJob"] = lambda asked: {
        "ResourceConfig": machines,
        **(trial if asked["TrainingJobName"] == "dogbreed-1" else {}),
    }
    status, out, _ = command("delete=all", "yes=true")
    assert (status, "dogbreed-1" in out) == (0, False)
    assert "about $2.208 an hour" in out
    assert jobs.named("StopTrainingJob") == []


def test_jobs_are_stopped_and_warm_pools_given_back(jobs: ScriptedAws, command: Command) -> None:
    status, out, _ = command("delete=all", "yes=true")
    assert status == 0
    assert out.splitlines()[-3:] == [
        "tuning job dogbreed-3: is stopping",
        "training job dogbreed-1: is stopping",
        "warm pool dogbreed-2: is given back",
    ]
    assert jobs.named("StopTrainingJob") == [{"TrainingJobName": "dogbreed-1"}]
    assert jobs.named("StopHyperParameterTuningJob") == [{"HyperParameterTuningJobName": "dogbreed-3"}]
    given_back = {"TrainingJobName": "dogbreed-2", "ResourceConfig": {"KeepAlivePeriodInSeconds": 0}}
    assert jobs.named("UpdateTrainingJob") == [given_back]


def test_a_batch_transform_is_shown_and_stopped(jobs: ScriptedAws, command: Command) -> None:
    transform = {
        "TransformJobName": "dogbreed-4",
        "TransformJobArn": f"{SAGEMAKER}transform-job/dogbreed-4",
        "CreationTime": MADE,
        "TransformJobStatus": "InProgress",
    }
    jobs.answers |= {
        "ListTransformJobs": [{"TransformJobSummaries": [transform]}],
        "DescribeTransformJob": [{"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 2}}],
        "StopTransformJob": [{}],
    }
    status, out, _ = command("delete=dogbreed-4", "yes=true")
    assert "batch transform  dogbreed-4  2026-11-28 12:00  $0.230/h  InProgress" in out.splitlines()
    assert (status, out.splitlines()[-1]) == (0, "batch transform dogbreed-4: is stopping")
    assert jobs.named("StopTransformJob") == [{"TransformJobName": "dogbreed-4"}]


def test_one_that_cannot_be_ended_does_not_keep_the_others_alive(jobs: ScriptedAws, command: Command) -> None:
    jobs.answers["StopHyperParameterTuningJob"] = [
        ("AccessDeniedException", "not authorized to perform: sagemaker:Stop")
    ]
    status, _, err = command("delete=all", "yes=true")
    assert (status, err.count("\n")) == (1, 1)
    assert "These credentials may not do sagemaker:Stop" in err
    assert jobs.named("StopTrainingJob") and jobs.named("UpdateTrainingJob")


@pytest.mark.parametrize(
    ("kind", "operation", "answer"),
    [
        (TRAINING, "StopTrainingJob", ("ValidationException", "Requested resource not found.")),
        (
            TRAINING,
            "StopTrainingJob",
            ("ValidationException", "The request was rejected because the training job is in status Stopped."),
        ),
        (TUNING, "StopHyperParameterTuningJob", ("ValidationException", "The job is in status Stopping.")),
        (POOL, "UpdateTrainingJob", ("ResourceNotFound", "Requested resource not found.")),
        (TRAINING, "ListTags", ("ValidationException", "Could not find training job.")),
        (ENDPOINT, "DescribeEndpoint", ("ValidationException", "Could not find endpoint.")),
        (ENDPOINT, "DeleteEndpoint", ("ValidationException", "Could not find endpoint.")),
        (CONFIG, "DeleteEndpointConfig", ("ValidationException", "Could not find endpoint configuration.")),
        (MODEL, "DeleteModel", ("ValidationException", "Could not find model.")),
    ],
)
def test_what_ends_by_itself_meanwhile_is_no_fault(jobs: ScriptedAws, kind: str, operation: str, answer: Any) -> None:
    no_target = ("ObjectNotFoundException", "No scalable target registered for service namespace: sagemaker")
    jobs.answers |= {
        "DescribeEndpoint": [{"ProductionVariants": [{"VariantName": "AllTraffic"}]}],
        "DeregisterScalableTarget": [no_target],
        operation: [answer],
    }
    one = Living(kind, "dogbreed-1", f"{SAGEMAKER}training-job/dogbreed-1", MADE)
    assert end(jobs.account, one) == f"{kind} dogbreed-1: gone already"


def test_serverless_endpoints_cost_nothing_by_the_hour_and_unknown_types_are_counted(
    jobs: ScriptedAws, command: Command
) -> None:
    variants: dict[str, dict[str, Any]] = {
        "dogbreed-s": {"VariantName": "a", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}},
        "dogbreed-x": {"VariantName": "a", "InstanceType": "ml.new.xlarge"},
    }
    listed = [
        {
            "EndpointName": name,
            "EndpointArn": f"{SAGEMAKER}endpoint/{name}",
            "CreationTime": MADE,
            "EndpointStatus": "InService",
        }
        for name in variants
    ]
    described: Callable[[dict[str, Any]], Any] = lambda asked: {"EndpointConfigName": asked["EndpointName"]}  # noqa: E731
    jobs.answers |= {
        "ListEndpoints": [{"Endpoints": listed}],
        "DescribeEndpoint": described,
        "DescribeEndpointConfig": lambda asked: asked | {"ProductionVariants": [variants[asked["EndpointConfigName"]]]},
    }
    _, out, _ = command()
    assert "endpoint      dogbreed-s  2026-11-28 12:00  -                InService" in out
    assert "endpoint      dogbreed-x  2026-11-28 12:00  price not known  InService" in out
    assert "about $2.944 an hour, and 1 of unknown price, estimated" in out


def test_without_credentials_the_command_ends_in_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    leave_aws_alone(monkeypatch, tmp_path)
    status, out, err = command(f"job.region={REGION}")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: Found no AWS credentials")
    assert command("--help")[:2] == (0, cleanup.HELP + "\n")
