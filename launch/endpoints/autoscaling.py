"""How the number of an endpoint's instances follows its load: requests to Application Auto Scaling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from launch.endpoints.endpoint_config import VARIANT
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.requests.request import Request

SERVICE = "application-autoscaling"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


METRICS: dict[str, Callable[[str], dict[str, Any]]] = {
    "realtime": lambda _: {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    },
    "async": lambda name: {
        "CustomizedMetricSpecification": {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": name}],
            "Statistic": "Average",
        }
    },
}


def autoscaling(name: str, settings: EndpointSettings) -> list[Request]:
    """How the number of an endpoint's instances follows its load; nothing where it does not."""
    if not settings.scales:
        return []
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/{VARIANT}",
        "ScalableDimension": DIMENSION,
    }
    tracking = {
        "TargetValue": settings.target_per_instance,
        **METRICS[settings.kind](name),
        "ScaleInCooldown": settings.scale_in_seconds,
        "ScaleOutCooldown": settings.scale_out_seconds,
    }
    ends = {"MinCapacity": settings.min_instances, "MaxCapacity": settings.max_instances}
    policy = {
        "PolicyName": name,
        **target,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    return [
        Request("RegisterScalableTarget", {**target, **ends}, SERVICE),
        Request("PutScalingPolicy", policy, SERVICE),
    ]
