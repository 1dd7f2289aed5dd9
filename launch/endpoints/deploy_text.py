"""The plan of a deployment in words, and what is said when it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dogbreed.caching.sizes import size
from launch.endpoints.deployment import Deployment
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.model_source import ModelSource
from launch.requests.prices import ESTIMATE, price
from launch.requests.quotas import quota_name

HEADLINES = {
    "create": "Endpoint {name} in {region}",
    "adopt": "Endpoint {name} in {region} is there already, with this very model and these settings; nothing is made",
    "update": "Endpoint {name} in {region} is there, and gets this model; it answers meanwhile",
    "replace": "Endpoint {name} in {region} has failed; it is deleted, and made again",
    "wait": "Endpoint {name} in {region} is being made already",
}
QUESTIONS = {
    "create": "Make it?",
    "adopt": "Go on?",
    "update": "Change it?",
    "replace": "Delete it and make it again?",
    "wait": "Wait for it?",
}


def plan_lines(
    deployment: Deployment, source: ModelSource, *, region: str, step: str = "create", presumed: Mapping[str, str] = {}
) -> str:
    """Lines for a terminal.

    Args:
        deployment: to be made.
        source: of its model.
        region: of all of it.
        step: what is to be done.
        presumed: what stands for something unknown in the requests, by its name, and how it becomes known.
    """
    headline = f"{HEADLINES[step].format(name=deployment.name, region=region)}: {machines(deployment.settings)}"
    facts = {
        "model": source.uri + (f" (to upload: {size(len(source.archive.content))})" if source.archive else ""),
        "image": deployment.model.parameters["PrimaryContainer"]["Image"],
        "role": deployment.model.parameters["ExecutionRoleArn"],
        "price": price_text(deployment.settings),
    }
    lines = [*facts.items(), *_quota(deployment.settings), *_limited(source)]
    lines += [("unknown", f"{name}: {how}") for name, how in presumed.items()]
    return "\n".join([headline, *(f"  {name:<9}{text}" for name, text in lines)])


def machines(settings: EndpointSettings) -> str:
    """On what the model runs.

    >>> machines(EndpointSettings(instance_count=2))
    'realtime, 2 x ml.m5.large'
    """
    if settings.kind == "serverless":
        return f"serverless, {settings.memory_mb} MB, {settings.max_concurrency} answers at once"
    scaled = f", {settings.min_instances} to {settings.max_instances} by load" if settings.scales else ""
    return f"{settings.kind}, {settings.instance_count} x {settings.instance_type}{scaled}"


def price_text(settings: EndpointSettings) -> str:
    """What the endpoint costs until it is deleted.

    >>> serverless = {"kind": "serverless", "server": "torchserve", "memory_mb": 1024, "max_concurrency": 1}
    >>> price_text(EndpointSettings(**serverless, instance_type=None))
    'by the second of each answer, nothing in between'
    """
    if settings.instance_type is None:
        warm = settings.provisioned_concurrency
        kept = f"; and by the hour for {warm} kept warm, at a price this table does not hold" if warm else ""
        return f"by the second of each answer, nothing in between{kept}"
    one = price(settings.instance_type)
    if one is None:
        return f"unknown for {settings.instance_type}, by the hour until it is deleted"
    count = settings.instance_count
    scaled = f", ${one * settings.max_instances:.3f} at most by load" if settings.max_instances else ""
    return f"${one * count:.3f} an hour{scaled}, until it is deleted; {ESTIMATE}"


def ready_lines(deployment: Deployment, region: str) -> str:
    """What an endpoint that answers is good for, costs, and ends by."""
    query = f"python -m launch.query endpoint={deployment.name} job.region={region} PHOTO"
    return "\n".join(
        [
            f"{deployment.name} is ready. To ask it: {query}",
            f"It costs: {price_text(deployment.settings)}.",
            f"To end it: {cleanup_command(deployment.name, region)}",
        ]
    )


def cleanup_command(name: str, region: str) -> str:
    """What deletes an endpoint, its configuration and its model."""
    return f"python -m launch.cleanup delete={name} job.region={region}"


def _quota(settings: EndpointSettings) -> Iterator[tuple[str, str]]:
    if settings.instance_type:
        count = max(settings.instance_count, settings.max_instances or 0)
        yield "quota", f"{quota_name(settings.instance_type, 'endpoint')}: {count} at least"


def _limited(source: ModelSource) -> Iterator[tuple[str, str]]:
    for limit in (source.card or {}).get("limits") or ():
        yield "LIMITED", f"the model is of a limited run: {limit}"
