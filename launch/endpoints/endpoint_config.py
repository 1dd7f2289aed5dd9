"""On what a model runs behind its endpoint: the request of an endpoint's configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from launch.endpoints.endpoint_settings import EndpointSettings
from launch.requests.request import Request
from launch.requests.tags import tag_list
from launch.requests.tuning_settings import given

VARIANT = "AllTraffic"
# What AWS names for both servers' containers: the hosts that SageMaker takes by itself have older drivers.
GPU_AMI = "al2-ami-sagemaker-inference-gpu-3-1"


def endpoint_config(
    name: str, settings: EndpointSettings, *, model: str, root: str, tags: Mapping[str, str] = {}
) -> Request:
    """`CreateEndpointConfig`: on what the model runs.

    Args:
        name: up to 63 letters, digits and hyphens.
        settings: of the endpoint.
        model: its name.
        root: of the project in S3, below which answers and what is captured are left.
        tags: of the configuration.
    """
    variant = {"VariantName": VARIANT, "ModelName": model, **VARIANTS[settings.kind](settings)}
    parameters = {
        "EndpointConfigName": name,
        "ProductionVariants": [variant],
        "KmsKeyId": settings.volume_kms_key,
        "AsyncInferenceConfig": _async(settings, root) if settings.kind == "async" else None,
        "DataCaptureConfig": _capture(settings, root) if settings.capture_percent else None,
        "Tags": tag_list(tags),
    }
    return Request("CreateEndpointConfig", given(parameters))


def _instances(settings: EndpointSettings) -> dict[str, Any]:
    own = GPU_AMI if settings.gpu and settings.image is None else None
    variant = {
        "InitialInstanceCount": settings.instance_count,
        "InstanceType": settings.instance_type,
        "InitialVariantWeight": 1.0,
        "VolumeSizeInGB": settings.volume_gb,
        "ModelDataDownloadTimeoutInSeconds": settings.download_seconds,
        "ContainerStartupHealthCheckTimeoutInSeconds": settings.startup_seconds,
        "InferenceAmiVersion": own if settings.ami == "auto" else settings.ami,
    }
    return given(variant)


def _serverless(settings: EndpointSettings) -> dict[str, Any]:
    config = {
        "MemorySizeInMB": settings.memory_mb,
        "MaxConcurrency": settings.max_concurrency,
        "ProvisionedConcurrency": settings.provisioned_concurrency,
    }
    return {"InitialVariantWeight": 1.0, "ServerlessConfig": given(config)}


VARIANTS: dict[str, Callable[[EndpointSettings], dict[str, Any]]] = {
    "realtime": _instances,
    "async": _instances,
    "serverless": _serverless,
}


def _async(settings: EndpointSettings, root: str) -> dict[str, Any]:
    at_once = settings.requests_at_once
    output = {
        "S3OutputPath": f"{root}/async/output/",
        "S3FailurePath": f"{root}/async/failed/",
        "KmsKeyId": settings.output_kms_key,
    }
    return given(
        {
            "ClientConfig": at_once and {"MaxConcurrentInvocationsPerInstance": at_once},
            "OutputConfig": given(output),
        }
    )


def _capture(settings: EndpointSettings, root: str) -> dict[str, Any]:
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": settings.capture_percent,
        "DestinationS3Uri": f"{root}/capture/",
        "KmsKeyId": settings.output_kms_key,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    return given(capture)
