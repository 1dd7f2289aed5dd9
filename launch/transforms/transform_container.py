"""The model's container, for what a batch transform sends it."""

from __future__ import annotations

from dataclasses import replace

from dogbreed.data.photos import MAX_PIXELS
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.requests.transform_settings import TransformSettings

# Breeds in an answer at least: a table of fewer needs no other job.
TOP = 5


def container(endpoint: EndpointSettings, settings: TransformSettings, top_k: int) -> EndpointSettings:
    """The settings of the model's container: those of an endpoint, for what a batch transform sends.

    Like an asynchronous endpoint's it is given time for an answer.
    """
    return replace(
        endpoint,
        kind="async",
        instance_type=settings.instance_type,
        memory_mb=None,
        max_concurrency=None,
        provisioned_concurrency=None,
        response_seconds=settings.response_seconds,
        environment={**limits(settings, top_k), **endpoint.environment},
    )


def limits(settings: TransformSettings, top_k: int) -> dict[str, str]:
    """Variables by which the container takes what it is sent, any photo that is read here, and tells enough."""
    return {
        # AWS's megabytes may be either.
        "DOGBREED_MAX_BYTES": str(settings.max_payload_mb * 2**20),
        "DOGBREED_MAX_PIXELS": str(MAX_PIXELS),
        "DOGBREED_TOP_K": str(max(TOP, top_k)),
    }
