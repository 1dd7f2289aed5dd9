"""An endpoint as plain data: the requests of the model, its configuration, the endpoint, its scaling, the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from launch.endpoints.autoscaling import autoscaling
from launch.endpoints.container_environment import environment
from launch.endpoints.endpoint_config import endpoint_config
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.registry import model_package
from launch.requests.request import Request
from launch.requests.tags import tag_list
from launch.requests.tuning_settings import given

__all__ = ["autoscaling", "endpoint", "endpoint_config", "endpoint_update", "model", "model_package"]

CAPTURE = {"VariantPropertyType": "DataCaptureConfig"}


def model(
    name: str,
    settings: EndpointSettings,
    *,
    image: str,
    role: str,
    region: str,
    model_data: str,
    tags: Mapping[str, str] = {},
) -> Request:
    """`CreateModel`: the container, the archive it unpacks, and what it may reach.

    Args:
        name: up to 63 letters, digits and hyphens.
        settings: of the endpoint.
        image: of the container.
        role: ARN that the container runs as.
        region: for the container's own requests.
        model_data: of a model.tar.gz in S3.
        tags: of the model.
    """
    container = {"Image": image, "ModelDataUrl": model_data, "Environment": environment(settings, region)}
    parameters = {
        "ModelName": name,
        "PrimaryContainer": container,
        "ExecutionRoleArn": role,
        "VpcConfig": {"SecurityGroupIds": list(settings.security_groups), "Subnets": list(settings.subnets)}
        if settings.subnets
        else None,
        "EnableNetworkIsolation": settings.network_isolation or None,
        "Tags": tag_list(tags),
    }
    return Request("CreateModel", given(parameters))


def endpoint(name: str, *, config: str, tags: Mapping[str, str] = {}) -> Request:
    """`CreateEndpoint` of a configuration."""
    return Request(
        "CreateEndpoint", given({"EndpointName": name, "EndpointConfigName": config, "Tags": tag_list(tags)})
    )


def endpoint_update(name: str, settings: EndpointSettings, *, config: str) -> Request:
    """`UpdateEndpoint`: new instances beside the old ones, which end when the new ones have proved themselves.

    An update whose instances do not become healthy, or during which one of the alarms rings, is taken back.
    """
    alarms = [{"AlarmName": alarm} for alarm in settings.rollback_alarms]
    deployment = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": _routing(settings),
            "TerminationWaitInSeconds": settings.update_wait_seconds,
        },
        "AutoRollbackConfiguration": {"Alarms": alarms} if alarms else None,
    }
    # Serverless and asynchronous endpoints are updated in the service's own way.
    policy = given(deployment) if settings.kind == "realtime" else None
    # As many instances as the load has called for stay.
    kept = (
        {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": [CAPTURE]} if settings.scales else {}
    )
    return Request(
        "UpdateEndpoint",
        given({"EndpointName": name, "EndpointConfigName": config, **kept, "DeploymentConfig": policy}),
    )


def _routing(settings: EndpointSettings) -> dict[str, Any]:
    part = settings.canary_percent
    canary = {"CanarySize": {"Type": "CAPACITY_PERCENT", "Value": part}} if part else {}
    kind = "CANARY" if part else "ALL_AT_ONCE"
    return {"Type": kind, "WaitIntervalInSeconds": settings.update_wait_seconds, **canary}
