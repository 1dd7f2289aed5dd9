from __future__ import annotations

from typing import Any

import pytest

from dogbreed.errors import ConfigError
from launch.requests.request import Request
from launch.requests.transform import transform_job
from launch.requests.transform_settings import TransformSettings
from launch.requests.validation import check

PLACES = {"model": "m", "photos": "s3://b/dogbreed/photos/0/", "output": "s3://b/dogbreed/transform/t/"}


def test_a_job_asks_about_each_object_as_a_photo_and_leaves_an_answer_for_each() -> None:
    made = transform_job("t", TransformSettings(), **PLACES, tags={"project": "dogbreed"})
    assert made == Request(
        "CreateTransformJob",
        {
            "TransformJobName": "t",
            "ModelName": "m",
            "MaxConcurrentTransforms": 4,
            "ModelClientConfig": {"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 3},
            "MaxPayloadInMB": 25,
            "BatchStrategy": "SingleRecord",
            "TransformInput": {
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/dogbreed/photos/0/"},
                },
                "ContentType": "application/x-image",
                "CompressionType": "None",
                "SplitType": "None",
            },
            "TransformOutput": {
                "S3OutputPath": "s3://b/dogbreed/transform/t/",
                "Accept": "application/json",
                "AssembleWith": "None",
            },
            "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
            "Tags": [{"Key": "project", "Value": "dogbreed"}],
        },
    )
    check(made)


def test_what_else_may_be_chosen_is_in_its_place_and_a_manifest_is_told_from_a_folder() -> None:
    settings = TransformSettings(
        accept="text/csv", ami="al2-ami-sagemaker-batch-gpu-535", volume_kms_key="v", output_kms_key="o", retries=0
    )
    made = transform_job("t", settings, **PLACES | {"photos": "s3://b/photos.manifest"})
    check(made)
    found: Any = made.parameters
    assert found["TransformInput"]["DataSource"]["S3DataSource"] == {
        "S3DataType": "ManifestFile",
        "S3Uri": "s3://b/photos.manifest",
    }
    assert (found["TransformOutput"]["Accept"], found["TransformOutput"]["KmsKeyId"]) == ("text/csv", "o")
    assert found["TransformResources"] == {
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": 1,
        "VolumeKmsKeyId": "v",
        "TransformAmiVersion": "al2-ami-sagemaker-batch-gpu-535",
    }
    assert found["ModelClientConfig"]["InvocationsMaxRetries"] == 0


def test_a_gpu_that_awss_image_computes_with_has_the_host_whose_driver_is_new_enough() -> None:
    gpu = TransformSettings(instance_type="ml.g4dn.xlarge")
    made = transform_job("t", gpu, **PLACES)
    check(made)
    assert made.parameters["TransformResources"] == {
        "InstanceType": "ml.g4dn.xlarge",
        "InstanceCount": 1,
        "TransformAmiVersion": "al2-ami-sagemaker-batch-gpu-535",
    }
    others = (
        transform_job("t", gpu, **PLACES, own_image=True),
        transform_job("t", TransformSettings(instance_type="ml.g4dn.xlarge", ami=None), **PLACES),
    )
    assert not [
        "TransformAmiVersion" for one in others if "TransformAmiVersion" in one.parameters["TransformResources"]
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_payload_mb": 101}, "Expected transform.max_payload_mb from 1 to 100, got 101."),
        ({"retries": 4}, "Expected transform.retries from 0 to 3, got 4."),
        ({"accept": "text/html"}, "Expected transform.accept to be application/json or text/csv"),
        ({"at_once": 5}, "100 MB at most, got 5 of 25"),
        ({"at_once": 65, "max_payload_mb": 1}, "Expected transform.at_once from 1 to 64, got 65."),
        ({"instance_count": "2"}, "transform.instance_count"),
    ],
)
def test_what_no_job_can_be_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as told:
        TransformSettings(**changes)
    assert message in str(told.value)


def test_a_type_that_transforms_cannot_run_on_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConfigError, match=r"TransformResources\.InstanceType"):
        check(transform_job("t", TransformSettings(instance_type="ml.t2.medium"), **PLACES))
