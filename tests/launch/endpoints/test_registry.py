from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from launch.accounts.account import Account
from launch.endpoints.hosting import model_package
from launch.endpoints.registering import register
from launch.endpoints.registry import quality
from launch.requests.request import Request
from launch.requests.validation import check
from tests.launch.model_folders import card

DATA = "s3://dogs/dogbreed/models/0/model.tar.gz"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/dogs:1"


def requests(**changes: Any) -> list[Request]:
    given: dict[str, Any] = {
        "image": IMAGE,
        "model_data": DATA,
        "environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        "card": card(),
        "metrics_uri": "s3://dogs/dogbreed/metrics/0.json",
        "instance_types": ["ml.m5.large"],
        "tags": {"project": "dogbreed"},
    }
    return model_package("dogbreed", **given | changes)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Account(boto3.Session(region_name="eu-west-1"), "eu-west-1", "123456789012", "role", "dogs")


def test_a_model_is_registered_with_its_test_figures_and_waits_for_approval() -> None:
    group, package = requests()
    assert group == Request(
        "CreateModelPackageGroup",
        {
            "ModelPackageGroupName": "dogbreed",
            "ModelPackageGroupDescription": "Dog breeds",
            "Tags": [{"Key": "project", "Value": "dogbreed"}],
        },
    )
    assert package == Request(
        "CreateModelPackage",
        {
            "ModelPackageGroupName": "dogbreed",
            "ModelPackageDescription": "resnet18 for 3 breeds",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": IMAGE,
                        "ModelDataUrl": DATA,
                        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
                        "Framework": "PYTORCH",
                    }
                ],
                "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
                "SupportedContentTypes": ["image/jpeg", "image/png", "image/webp"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            "ModelApprovalStatus": "PendingManualApproval",
            "ModelMetrics": {
                "ModelQuality": {
                    "Statistics": {"ContentType": "application/json", "S3Uri": "s3://dogs/dogbreed/metrics/0.json"}
                }
            },
            "CustomerMetadataProperties": {
                "backbone": "resnet18",
                "classes": "3",
                "weights_sha256": card()["weights"]["sha256"],
                "test/acc": "0.9",
                "test/loss": "0.25",
            },
            "Domain": "COMPUTER_VISION",
            "Task": "IMAGE_CLASSIFICATION",
        },
    )


def test_only_test_figures_are_called_the_models_quality() -> None:
    assert quality(card()) == {
        "version": 0.0,
        "multiclass_classification_metrics": {
            "acc": {"value": 0.9, "standard_deviation": "NaN"},
            "loss": {"value": 0.25, "standard_deviation": "NaN"},
        },
    }
    assert quality({})["multiclass_classification_metrics"] == {}
    json.dumps(quality(card()), allow_nan=False)


@pytest.mark.parametrize("found", [card(), card(limits=["1 of 10 batches (quick run); no result"]), {}])
def test_every_request_is_one_that_aws_could_take(found: dict[str, Any]) -> None:
    for request in requests(card=found, instance_types=[], approval="Approved"):
        check(request)


def test_a_limited_run_says_so_in_the_registry() -> None:
    _, package = requests(card=card(limits=["1 of 10 batches; no result"]))
    assert "LIMITED RUN" in package.parameters["ModelPackageDescription"]
    assert package.parameters["CustomerMetadataProperties"]["limits"] == "1 of 10 batches  no result"


def test_a_model_becomes_one_version_however_often_it_is_deployed(account: Account) -> None:
    assert "waits for approval" in register(account, requests())
    assert "already" in register(account, requests())
    assert "waits for approval" in register(account, requests(model_data=DATA.replace("/0/", "/1/")))
    versions = account.client("sagemaker").list_model_packages(ModelPackageGroupName="dogbreed")
    found = versions["ModelPackageSummaryList"]
    assert [one["ModelApprovalStatus"] for one in found] == ["PendingManualApproval"] * 2
