"""A model in the registry: a version of a group, with its test figures, that waits for somebody's approval."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from launch.requests.request import Request
from launch.requests.tags import tag_list
from launch.requests.tuning_settings import given

CONTENT_TYPES = ["image/jpeg", "image/png", "image/webp"]
ANSWERS = ["application/json"]
LONGEST_VALUE = 256
# What a property may hold, as the API's model has it.
ODD = re.compile(r"[^\w\s.:/=+@-]")


def model_package(
    group: str,
    *,
    image: str,
    model_data: str,
    environment: Mapping[str, str],
    card: Mapping[str, Any],
    metrics_uri: str,
    instance_types: list[str],
    approval: str = "PendingManualApproval",
    tags: Mapping[str, str] = {},
) -> list[Request]:
    """`CreateModelPackageGroup`, which may be there, and `CreateModelPackage` in it.

    Args:
        group: its name.
        image: of the container.
        model_data: of the model.tar.gz in S3.
        environment: of the container.
        card: the model's JSON; empty where nobody has looked.
        metrics_uri: of `quality` in S3.
        instance_types: that the model is known to run on; none for a serverless endpoint's.
        approval: PendingManualApproval, Approved or Rejected.
        tags: of the group.
    """
    container = {"Image": image, "ModelDataUrl": model_data, "Environment": dict(environment), "Framework": "PYTORCH"}
    inference = {
        "Containers": [container],
        "SupportedRealtimeInferenceInstanceTypes": instance_types or None,
        "SupportedContentTypes": CONTENT_TYPES,
        "SupportedResponseMIMETypes": ANSWERS,
    }
    package = {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": _description(card),
        "InferenceSpecification": given(inference),
        "ModelApprovalStatus": approval,
        "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": metrics_uri}}},
        "CustomerMetadataProperties": _properties(card) or None,
        "Domain": "COMPUTER_VISION",
        "Task": "IMAGE_CLASSIFICATION",
    }
    named = {"ModelPackageGroupName": group, "ModelPackageGroupDescription": "Dog breeds", "Tags": tag_list(tags)}
    return [Request("CreateModelPackageGroup", given(named)), Request("CreateModelPackage", given(package))]


def quality(card: Mapping[str, Any]) -> dict[str, Any]:
    """The test figures of a model's JSON as the registry's pages read them.

    >>> quality({"metrics": {"test/acc": 0.9, "val/acc": 0.8}})["multiclass_classification_metrics"]
    {'acc': {'value': 0.9, 'standard_deviation': 'NaN'}}
    """
    figures = {
        name.removeprefix("test/"): {"value": value, "standard_deviation": "NaN"}
        for name, value in _test_metrics(card).items()
    }
    return {"version": 0.0, "multiclass_classification_metrics": figures}


def _test_metrics(card: Mapping[str, Any]) -> dict[str, float]:
    metrics = card.get("metrics")
    found = metrics.items() if isinstance(metrics, Mapping) else ()
    return {name: value for name, value in found if name.startswith("test/") and isinstance(value, int | float)}


def _properties(card: Mapping[str, Any]) -> dict[str, str]:
    properties = {
        "backbone": card.get("architecture", {}).get("backbone"),
        "classes": len(card.get("class_names", ())) or None,
        "weights_sha256": card.get("weights", {}).get("sha256"),
        "limits": "; ".join(card.get("limits") or ()) or None,
        **_test_metrics(card),
    }
    return {name: ODD.sub(" ", str(value))[:LONGEST_VALUE] for name, value in given(properties).items()}


def _description(card: Mapping[str, Any]) -> str | None:
    if not card:
        return None
    backbone, classes = card.get("architecture", {}).get("backbone", "a network"), len(card.get("class_names", ()))
    limited = ". LIMITED RUN: its figures are no result" if card.get("limits") else ""
    return f"{backbone} for {classes} breeds{limited}"
