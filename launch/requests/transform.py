"""A batch transform as plain data: a model asked about every photo of a place in S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from launch.requests.instances import processor
from launch.requests.request import Request
from launch.requests.tags import tag_list
from launch.requests.transform_settings import TransformSettings
from launch.requests.tuning_settings import given

# The container looks at each photo for its format.
CONTENT_TYPE = "application/x-image"
MANIFEST = ".manifest"
# The newest that AWS names for batch transforms: the hosts that SageMaker takes by itself have older drivers.
GPU_AMI = "al2-ami-sagemaker-batch-gpu-535"


def transform_job(
    name: str,
    settings: TransformSettings,
    *,
    model: str,
    photos: str,
    output: str,
    own_image: bool = False,
    tags: Mapping[str, str] = {},
) -> Request:
    """`CreateTransformJob`: each object is one photo, each answer an object of its own.

    Args:
        name: up to 63 letters, digits and hyphens.
        settings: of the transform.
        model: its name.
        photos: an S3 prefix, or the S3 URI of a manifest, which ends in .manifest.
        output: S3 prefix of the answers: that about `a/1.jpg` will be at `a/1.jpg.out`.
        own_image: whether the container is not AWS's.
        tags: of the job.
    """
    client = {
        "InvocationsTimeoutInSeconds": settings.response_seconds,
        "InvocationsMaxRetries": settings.retries,
    }
    parameters = {
        "TransformJobName": name,
        "ModelName": model,
        "MaxConcurrentTransforms": settings.at_once,
        "ModelClientConfig": client,
        "MaxPayloadInMB": settings.max_payload_mb,
        "BatchStrategy": "SingleRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": _kind(photos), "S3Uri": photos}},
            "ContentType": CONTENT_TYPE,
            "CompressionType": "None",
            "SplitType": "None",
        },
        "TransformOutput": _output(settings, output),
        "TransformResources": _resources(settings, own_image),
        "Tags": tag_list(tags),
    }
    return Request("CreateTransformJob", given(parameters))


def _kind(photos: str) -> str:
    return "ManifestFile" if photos.endswith(MANIFEST) else "S3Prefix"


def _output(settings: TransformSettings, output: str) -> dict[str, Any]:
    return given(
        {
            "S3OutputPath": output,
            "Accept": settings.accept,
            "AssembleWith": "None",
            "KmsKeyId": settings.output_kms_key,
        }
    )


def _resources(settings: TransformSettings, own_image: bool) -> dict[str, Any]:
    needed = GPU_AMI if processor(settings.instance_type) == "gpu" and not own_image else None
    return given(
        {
            "InstanceType": settings.instance_type,
            "InstanceCount": settings.instance_count,
            "VolumeKmsKeyId": settings.volume_kms_key,
            "TransformAmiVersion": needed if settings.ami == "auto" else settings.ami,
        }
    )
