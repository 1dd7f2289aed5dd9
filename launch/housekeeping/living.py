"""What of ours is alive in an account, since when, and what it costs an hour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from launch.accounts.cloud_errors import cloud_errors, is_missing
from launch.jobs.cost import an_hour, job_resources
from launch.requests.prices import price
from launch.requests.tags import are_ours, tags_by_key

ENDPOINT, CONFIG, MODEL = "endpoint", "endpoint configuration", "model"
TRAINING, TUNING, TRANSFORM, POOL = "training job", "tuning job", "batch transform", "warm pool"


@dataclass(frozen=True)
class Living:
    """Something that carries the project's tag.

    Attributes:
        kind: endpoint, training job and so on.
        name: of its kind.
        arn: its tags are asked by.
        since: when it was made.
        an_hour: in US dollars; 0 for what costs nothing by itself, None for an unknown price.
        state: in words.
    """

    kind: str
    name: str
    arn: str
    since: datetime
    an_hour: float | None = 0.0
    state: str = ""


def living(client: Any) -> list[Living]:
    """All that carries the project's tag: endpoints and jobs, warm pools, and what endpoints are made of.

    Lists and their tags are read, rather than the account's index of tags: that is minutes late.

    Args:
        client: botocore's, of SageMaker.

    Raises:
        CloudError: the service refused, or could not be asked.
    """
    with cloud_errors():
        return [one for find in FINDERS for one in find(client)]


def is_ours(client: Any, arn: str) -> bool | None:
    """Whether something carries the project's tag now; None where it is gone.

    Raises:
        CloudError: the service refused, or could not be asked.
    """
    found = or_none(lambda: client.list_tags(ResourceArn=arn))
    if found is None:
        return None
    return are_ours(tags_by_key(found["Tags"]))


def _listed(client: Any, method: str, member: str, noun: str, **asked: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(method).paginate(**asked):
        yield from (one for one in page[member] if is_ours(client, one[f"{noun}Arn"]))


def _endpoints(client: Any) -> Iterator[Living]:
    for one in _listed(client, "list_endpoints", "Endpoints", "Endpoint"):
        name = one["EndpointName"]
        # Somebody else may be deleting, too.
        if found := or_none(lambda name=name: client.describe_endpoint(EndpointName=name)):  # type: ignore[misc]
            config = endpoint_config(client, found["EndpointConfigName"])
            an_hour = endpoint_price(found, config) if config else None
            yield Living(ENDPOINT, name, one["EndpointArn"], one["CreationTime"], an_hour, one["EndpointStatus"])


def endpoint_config(client: Any, name: str) -> dict[str, Any] | None:
    """Of an endpoint, which lives on without it; None where it is gone.

    Raises:
        CloudError: the service refused, or could not be asked.
    """
    return or_none(lambda: client.describe_endpoint_config(EndpointConfigName=name))


def or_none(ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """What the service answers; None where it says that there is no such thing.

    Raises:
        CloudError: the service refused, or could not be asked.
    """
    from botocore.exceptions import ClientError

    with cloud_errors():
        try:
            return ask()
        except ClientError as error:
            if is_missing(error):
                return None
            raise


def endpoint_price(found: Mapping[str, Any], config: Mapping[str, Any]) -> float | None:
    """An endpoint's in US dollars an hour; a serverless one costs by the request. None where a price is unknown.

    Args:
        found: the endpoint as it was described.
        config: its configuration.
    """
    counts = {one["VariantName"]: one.get("CurrentInstanceCount") for one in found.get("ProductionVariants") or ()}
    prices = []
    for variant in config["ProductionVariants"]:
        if "InstanceType" in variant:
            count = counts.get(variant["VariantName"])
            each = price(variant["InstanceType"])
            prices.append(each and each * (variant.get("InitialInstanceCount", 1) if count is None else count))
    return None if None in prices else sum(one or 0.0 for one in prices)


def _training_jobs(client: Any) -> Iterator[Living]:
    for one in _listed(client, "list_training_jobs", "TrainingJobSummaries", "TrainingJob", StatusEquals="InProgress"):
        found = client.describe_training_job(TrainingJobName=one["TrainingJobName"])
        # Trials are counted with their tuning job, and end with it.
        if not found.get("TuningJobArn"):
            yield _job(TRAINING, found, one)


def _pools(client: Any) -> Iterator[Living]:
    asked = {"WarmPoolStatusEquals": "Available"}
    for one in _listed(client, "list_training_jobs", "TrainingJobSummaries", "TrainingJob", **asked):
        if (one.get("WarmPoolStatus") or {}).get("Status") == "Available":
            yield _job(POOL, client.describe_training_job(TrainingJobName=one["TrainingJobName"]), one)


def _job(kind: str, found: Mapping[str, Any], summary: Mapping[str, Any]) -> Living:
    state = "kept for the next job" if kind == POOL else found.get("SecondaryStatus", "")
    name, arn, made = summary["TrainingJobName"], summary["TrainingJobArn"], summary["CreationTime"]
    return Living(kind, name, arn, made, an_hour(found["ResourceConfig"]), state)


def _tuning_jobs(client: Any) -> Iterator[Living]:
    summaries = _listed(
        client,
        "list_hyper_parameter_tuning_jobs",
        "HyperParameterTuningJobSummaries",
        "HyperParameterTuningJob",
        StatusEquals="InProgress",
    )
    for one in summaries:
        name = one["HyperParameterTuningJobName"]
        found = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        running = found["TrainingJobStatusCounters"].get("InProgress", 0)
        each = an_hour(job_resources(found["TrainingJobDefinition"]))
        price = None if each is None else each * running
        arn = one["HyperParameterTuningJobArn"]
        yield Living(TUNING, name, arn, one["CreationTime"], price, f"{running} trials running")


def _transform_jobs(client: Any) -> Iterator[Living]:
    asked = {"StatusEquals": "InProgress"}
    for one in _listed(client, "list_transform_jobs", "TransformJobSummaries", "TransformJob", **asked):
        name = one["TransformJobName"]
        price = an_hour(client.describe_transform_job(TransformJobName=name)["TransformResources"])
        yield Living(TRANSFORM, name, one["TransformJobArn"], one["CreationTime"], price, one["TransformJobStatus"])


def _configs(client: Any) -> Iterator[Living]:
    for one in _listed(client, "list_endpoint_configs", "EndpointConfigs", "EndpointConfig"):
        yield Living(CONFIG, one["EndpointConfigName"], one["EndpointConfigArn"], one["CreationTime"])


def _models(client: Any) -> Iterator[Living]:
    for one in _listed(client, "list_models", "Models", "Model"):
        yield Living(MODEL, one["ModelName"], one["ModelArn"], one["CreationTime"])


# What is there because of another comes after it: they are ended in this order.
FINDERS: tuple[Callable[[Any], Iterator[Living]], ...] = (
    _tuning_jobs,
    _training_jobs,
    _pools,
    _transform_jobs,
    _endpoints,
    _configs,
    _models,
)
