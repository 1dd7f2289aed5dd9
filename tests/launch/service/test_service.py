"""That the stand-in for SageMaker does what its callers believe it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dogbreed.epoch_line import METRICS, epoch_line
from tests.drawn_photos import draw_folder
from tests.launch.rehearsal.jobs import PLACES, script_archive, training_parameters, tuning_request
from tests.launch.service.bucket import read_bytes, unpack, upload_folder
from tests.launch.service.service import Service

FIGURES = dict.fromkeys(METRICS, 0.25)
INFERENCE = """
def model_fn(model_dir): return model_dir
def input_fn(body, media): return body
def predict_fn(body, model): return b"seen " + body
def output_fn(answer, accept): return answer, "text/plain"
"""
SCRIPT = f"""
import os, pathlib
print({epoch_line(1, 2, FIGURES, kept=FIGURES, seconds=1.0)!r})
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
print(f"photos {{len(list((base / 'input/data/train').rglob('*.png')))}}")
code = pathlib.Path(os.environ["SM_MODEL_DIR"]) / "code"
code.mkdir()
(code / "inference.py").write_text({INFERENCE!r})
(base / "checkpoints/last.ckpt").write_text("state")
"""
WAITING = "import time\nprint('waiting', flush=True)\ntime.sleep(600)\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, toolkit: Path) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with Service(folder, toolkit) as running:
        s3 = client(running, "s3")
        s3.create_bucket(Bucket="bucket")
        photos = draw_folder(folder / "photos", classes=2, counts={"train": 2, "valid": 1, "test": 1})
        upload_folder(s3, photos, "s3://bucket/dogbreed/photos/")
        s3.put_object(Bucket="bucket", Key="done.tar.gz", Body=script_archive(SCRIPT))
        s3.put_object(Bucket="bucket", Key="waiting.tar.gz", Body=script_archive(WAITING))
        yield running


def client(service: Service, name: str) -> Any:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client(name, endpoint_url=service.url, region_name="us-east-1", **keys)


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.1)


def test_a_job_runs_and_leaves_what_sagemaker_leaves(service: Service) -> None:
    sagemaker, s3 = client(service, "sagemaker"), client(service, "s3")
    job = training_parameters(name="done", source_uri="s3://bucket/done.tar.gz")
    sagemaker.create_training_job(**job)
    assert sagemaker.describe_training_job(TrainingJobName="done")["TrainingJobStatus"] == "InProgress"
    with pytest.raises(ClientError) as refused:
        sagemaker.create_training_job(**job)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    service.wait()
    found = sagemaker.describe_training_job(TrainingJobName="done")
    assert found["TrainingJobStatus"] == found["SecondaryStatus"] == "Completed", found.get("FailureReason")
    statuses = [item["Status"] for item in found["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert {item["MetricName"]: item["Value"] for item in found["FinalMetricDataList"]} == FIGURES
    assert found["BillableTimeInSeconds"] > 0
    model = found["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == f"{PLACES['output_uri']}/done/output/model.tar.gz"
    assert read_bytes(s3, f"{PLACES['checkpoint_uri']}/last.ckpt") == b"state"
    logs = client(service, "logs")
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="done/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)[
        "events"
    ]
    assert "photos 4" in [event["message"] for event in events]
    _deploy(sagemaker, model)
    runtime = client(service, "sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="breeds", Body=b"a photo", ContentType="image/jpeg")
    assert answer["Body"].read() == b"seen a photo"


def _deploy(sagemaker: Any, model: str) -> None:
    container = {"Image": PLACES["image"], "ModelDataUrl": model}
    sagemaker.create_model(ModelName="breeds", PrimaryContainer=container, ExecutionRoleArn=PLACES["role"])
    variant = {"VariantName": "all", "ModelName": "breeds", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="breeds", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="breeds", EndpointConfigName="breeds")


def test_a_job_is_stopped(service: Service) -> None:
    sagemaker = client(service, "sagemaker")
    sagemaker.create_training_job(**training_parameters(name="waiting", source_uri="s3://bucket/waiting.tar.gz"))
    until(lambda: service.training["waiting"].truth["SecondaryStatus"] == "Training")
    sagemaker.stop_training_job(TrainingJobName="waiting")
    service.wait()
    assert sagemaker.describe_training_job(TrainingJobName="waiting")["TrainingJobStatus"] == "Stopped"


def test_a_search_runs_its_trials(service: Service) -> None:
    sagemaker = client(service, "sagemaker")
    request = tuning_request(max_jobs=1, source_uri="s3://bucket/done.tar.gz")
    sagemaker.create_hyper_parameter_tuning_job(**request.parameters)
    name = {"HyperParameterTuningJobName": request.parameters["HyperParameterTuningJobName"]}
    service.wait()
    found = sagemaker.describe_hyper_parameter_tuning_job(**name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["Completed"] == 1
    (trial,) = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**name)["TrainingJobSummaries"]
    assert trial == found["BestTrainingJob"]
    assert trial["TunedHyperParameters"].keys() == {"model__learning_rate", "data__batch_size"}
    assert trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 0.25
    described = sagemaker.describe_training_job(TrainingJobName=trial["TrainingJobName"])
    assert described["TrainingJobStatus"] == "Completed"


def test_what_moto_knows_passes_through(service: Service, tmp_path: Path) -> None:
    s3 = client(service, "s3")
    (tmp_path / "large").write_bytes(bytes(9_000_000))
    s3.upload_file(str(tmp_path / "large"), "bucket", "a folder/large é")
    assert s3.head_object(Bucket="bucket", Key="a folder/large é")["ContentLength"] == 9_000_000
    part = s3.get_object(Bucket="bucket", Key="a folder/large é", Range="bytes=0-9")
    assert part["Body"].read() == bytes(10)
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="bucket", Key="nothing")
    assert client(service, "sts").get_caller_identity()["Account"] == "123456789012"
    assert unpack(script_archive(""), tmp_path / "unpacked").is_dir()
