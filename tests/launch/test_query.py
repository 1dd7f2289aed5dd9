"""`python -m launch.query` against an endpoint on this machine; moto plays what is around it."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.models import sagemakerruntime_backends
from PIL import Image

from dogbreed.command_line import run_command
from dogbreed.data.photos import decode
from dogbreed.errors import CloudError
from launch import query
from launch.endpoints import invocation, queued_answer
from launch.endpoints.invocation import Clients, ask
from launch.endpoints.model_reason import PhotoRefusedError
from launch.endpoints.photo_payload import Payload, photo_payload
from launch.endpoints.served_endpoint import Served, served
from tests.launch.answering_endpoint import Answering, answering, breeds

REGION, ACCOUNT = "eu-west-1", "123456789012"
Ask = Callable[..., tuple[int, str, str]]
CONFIGS: dict[str, dict[str, Any]] = {
    "dogs": {"InitialInstanceCount": 1, "InstanceType": "ml.m5.large"},
    "cheap": {"ServerlessConfig": {"MemorySizeInMB": 3072, "MaxConcurrency": 5}},
    "slow": {"InitialInstanceCount": 1, "InstanceType": "ml.m5.large"},
}


@pytest.fixture
def asked() -> Iterator[Answering]:
    with answering() as played:
        yield played


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """One with three endpoints of the project, and one of somebody else."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", REGION)
    with mock_aws():
        sagemaker = boto3.Session(region_name=REGION).client("sagemaker")
        role = f"arn:aws:iam::{ACCOUNT}:role/dogs"
        sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "i"}, ExecutionRoleArn=role)
        output = {"OutputConfig": {"S3OutputPath": "s3://dogs-bucket/dogbreed/async/output/"}}
        for name, variant in CONFIGS.items():
            sagemaker.create_endpoint_config(
                EndpointConfigName=name,
                ProductionVariants=[{"VariantName": "AllTraffic", "ModelName": "m", **variant}],
                **({"AsyncInferenceConfig": output} if name == "slow" else {}),
            )
            ours = [{"Key": "project", "Value": "dogbreed"}]
            sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=ours)
        sagemaker.create_endpoint(EndpointName="cats", EndpointConfigName="dogs")
        yield sagemaker


@pytest.fixture
def typed(
    account: Any, asked: Answering, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Ask:
    """The command in this process, beside three photos."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", asked.url)
    # Once more and then no more: what goes wrong is not to be waited for.
    monkeypatch.setattr(invocation, "ATTEMPTS", 1)
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.png", "c.webp"):
        Image.new("RGB", (40, 30), "peru").save(name)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["query", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_command(query.main)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def test_each_photo_goes_as_it_is_and_comes_back_as_breeds(typed: Ask, asked: Answering) -> None:
    asked.says(breeds())
    # By content, not by name.
    Path("c.webp").rename("c.jpg")
    status, out, err = typed("endpoint=dogs", "a.jpg", "b.png", "c.jpg")
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [
        "a.jpg",
        "   75.00%  Beagle (1)  ███████████████",
        "   25.00%  Akita (0)  █████",
    ]
    assert [headers["content-type"] for _, headers, _ in asked.asked] == ["image/jpeg", "image/png", "image/webp"]
    assert [body for *_, body in asked.asked] == [Path(name).read_bytes() for name in ("a.jpg", "b.png", "c.jpg")]
    assert {(path, headers["accept"]) for path, headers, _ in asked.asked} == {
        ("/endpoints/dogs/invocations", "application/json")
    }


def test_answers_can_be_had_as_json_and_csv(typed: Ask, asked: Answering) -> None:
    asked.says(breeds())
    _, text, _ = typed("endpoint=dogs", ".", "format=json", "top_k=1")
    assert [json.loads(line) for line in text.splitlines()] == [
        {"file": name, "predictions": [{"name": "Beagle", "index": 1, "probability": 0.75}]}
        for name in ("a.jpg", "b.png", "c.webp")
    ]
    _, table, _ = typed("endpoint=dogs", "a.jpg", "format=csv")
    assert list(csv.DictReader(io.StringIO(table)))[1] == {
        "file": "a.jpg",
        "rank": "2",
        "name": "Akita",
        "index": "0",
        "probability": "0.250000",
    }


def test_a_photo_that_is_too_large_is_sent_smaller_and_it_is_said(typed: Ask, asked: Answering) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)
    Image.fromarray(noise).save("large.png", compress_level=0)
    asked.says(breeds())
    status, _, err = typed("endpoint=dogs", "large.png")
    ((_, headers, body),) = asked.asked
    assert status == 0
    assert "large.png has 6,7" in err
    assert f"sent as a JPEG of 1500 x 1500 pixels and {len(body):,} bytes" in err
    assert headers["content-type"] == "image/jpeg"
    assert decode(body).width == 1500


def test_a_serverless_endpoint_takes_less(tmp_path: Path) -> None:
    assert Served("dogs", "serverless").largest == 4 * 2**20
    noise = np.random.default_rng(0).integers(0, 256, (300, 900, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.bmp")
    assert photo_payload(tmp_path / "noise.bmp", 10**6).content_type == "application/x-image"
    smaller = photo_payload(tmp_path / "noise.bmp", 100_000)
    assert len(smaller.body) <= 100_000
    assert decode(smaller.body).width == 512


def test_a_photo_that_the_model_or_we_cannot_read_is_named_and_the_others_are_answered(
    typed: Ask, asked: Answering
) -> None:
    Path("broken.jpg").write_bytes(Path("a.jpg").read_bytes()[:100])
    asked.model_error(400, json.dumps({"code": 400, "type": "x", "message": "The photo is too thin."}))
    asked.says(breeds())
    status, out, err = typed("endpoint=dogs", "broken.jpg", "a.jpg", "b.png")
    assert status == 1
    assert out.splitlines()[0] == "b.png"
    assert err.splitlines()[0].startswith("error: broken.jpg is ")
    assert err.splitlines()[1] == "error: a.jpg: The model of dogs cannot use the photo: The photo is too thin."


def test_what_is_wrong_with_an_endpoint_is_told_in_one_line(
    typed: Ask, asked: Answering, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*arguments: str) -> str:
        status, out, err = typed(*arguments)
        assert (status, out, err.count("\n")) == (1, "", 1), err
        assert err.startswith("error: ")
        return err

    missing = told("endpoint=dgos", "a.jpg")
    assert "There is no endpoint 'dgos' in this region" in missing
    assert all(name in missing for name in CONFIGS)
    assert "cats" not in missing
    asked.model_error(500, "Traceback (most recent call last):\n  …\nRuntimeError: no such layer")
    assert "The model of dogs failed (500): RuntimeError: no such layer" in told("endpoint=dogs", "a.jpg")
    for answer, said in (
        ({"message": "Rate exceeded", "status": 400, "x_amzn_errortype": "ThrottlingException"}, "asked too often"),
        ({"message": "later", "status": 503, "x_amzn_errortype": "ServiceUnavailable"}, "ServiceUnavailable"),
    ):
        asked.answers.clear()
        asked.says({"message": answer.pop("message")}, **answer)
        assert said in told("endpoint=dogs", "a.jpg")
    asked.answers.clear()
    asked.says(b"no JSON")
    assert "answered something else than breeds: 'no JSON'" in told("endpoint=dogs", "a.jpg")
    assert "Expected a photo or a folder of photos, found nothing at none.jpg" in told("endpoint=dogs", "none.jpg")
    assert "Expected at least one photo" in told("endpoint=dogs")
    assert "Expected endpoint=NAME" in told("a.jpg")
    assert "did you mean endpoint?" in told("endpont=dogs", "a.jpg")
    sagemaker_backends[ACCOUNT][REGION].endpoints["dogs"].endpoint_status = "Failed"
    assert "The endpoint dogs does not answer, it is Failed" in told("endpoint=dogs", "a.jpg")
    monkeypatch.delenv("AWS_REGION")
    assert "No AWS region is set" in told("endpoint=dogs", "a.jpg")


@pytest.fixture
def slow(account: Any) -> tuple[Clients, Served]:
    session = boto3.Session(region_name=REGION)
    clients = Clients(session.client("sagemaker-runtime"), session.client("s3"))
    clients.s3.create_bucket(Bucket="dogs-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    return clients, served(account, "slow")


def test_an_asynchronous_endpoint_is_waited_for(slow: tuple[Clients, Served]) -> None:
    clients, endpoint = slow
    assert endpoint == Served("slow", "async", "s3://dogs-bucket/dogbreed/async/output/")
    queue = sagemakerruntime_backends[ACCOUNT][REGION].async_results_queue
    queue += [(False, json.dumps(breeds())), (True, json.dumps({"message": "no photo"}))]
    assert ask(clients, endpoint, Payload(b"photo 1", "image/jpeg"))[0]["label"] == "Beagle"
    (sent,) = clients.s3.list_objects_v2(Bucket="dogs-bucket", Prefix="dogbreed/async/input/")["Contents"]
    assert clients.s3.get_object(Bucket="dogs-bucket", Key=sent["Key"])["Body"].read() == b"photo 1"
    with pytest.raises(PhotoRefusedError, match="The model of slow cannot use the photo: no photo"):
        ask(clients, endpoint, Payload(b"photo 2", "image/jpeg"))


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(
    slow: tuple[Clients, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    clients, endpoint = slow
    monkeypatch.setattr(queued_answer, "LONGEST_WAIT_SECONDS", 10)
    slept = list[float]()
    with Stubber(clients.runtime) as stub:
        stub.add_response("invoke_endpoint_async", {"OutputLocation": "s3://dogs-bucket/output/1"})
        with pytest.raises(CloudError, match="no answer within 10 seconds; it comes to s3://dogs-bucket/output/1"):
            ask(clients, endpoint, Payload(b"photo", "image/jpeg"), sleep=slept.append)
    assert sum(slept) > 10
