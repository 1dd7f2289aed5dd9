"""What no endpoint can be, said in one sentence before anything is sent.

The numbers are those of the API's own model and of AWS's pages "Serverless Inference" and "Asynchronous inference".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dogbreed.errors import ConfigError

if TYPE_CHECKING:
    from launch.endpoints.endpoint_settings import EndpointSettings

KINDS = ("realtime", "serverless", "async")
SERVERS = ("ray", "torchserve")
SERVERLESS_MEMORY_MB = tuple(range(1024, 6145, 1024))
# By setting: the least and the most.
RANGES: dict[str, tuple[float, float]] = {
    "instance_count": (1, math.inf),
    "volume_gb": (1, 512),
    "max_concurrency": (1, 200),
    "provisioned_concurrency": (1, 200),
    "requests_at_once": (1, 1000),
    "startup_seconds": (60, 3600),
    "download_seconds": (60, 3600),
    "response_seconds": (1, 3600),
    "workers": (1, math.inf),
    "log_level": (0, 50),
    "capture_percent": (0, 100),
    # Without instances, nobody would wake the endpoint for its first request.
    "min_instances": (1, math.inf),
    "max_instances": (1, math.inf),
    "target_per_instance": (0.01, math.inf),
    "scale_in_seconds": (0, math.inf),
    "scale_out_seconds": (0, math.inf),
    # Half of the instances is the most that SageMaker takes for the first part.
    "canary_percent": (1, 50),
    "update_wait_seconds": (0, 3600),
}
# For how long InvokeEndpoint waits.
LONGEST_ANSWER_SECONDS = 60


def check_numbers(settings: EndpointSettings) -> None:
    """Each within its range; None is a setting that was not given.

    Raises:
        ConfigError: one is outside.
    """
    for name, (least, most) in RANGES.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            end = "" if most == math.inf else f" and {most} at most"
            raise ConfigError(f"Expected endpoint.{name} to be {least} at least{end}, got {value}.")
    for name, known in {"kind": KINDS, "server": SERVERS}.items():
        if getattr(settings, name) not in known:
            raise ConfigError(
                f"Expected endpoint.{name} to be one of {', '.join(known)}, got {getattr(settings, name)!r}."
            )
    if settings.memory_mb not in (None, *SERVERLESS_MEMORY_MB):
        steps = ", ".join(map(str, SERVERLESS_MEMORY_MB))
        raise ConfigError(f"Expected endpoint.memory_mb to be one of {steps}, got {settings.memory_mb}.")


def check_contradictions(settings: EndpointSettings) -> None:
    """Settings that go together.

    Raises:
        ConfigError: two do not.
    """
    for sentence, is_so in {**_serverless(settings), **_others(settings), **_scaling(settings)}.items():
        if is_so:
            raise ConfigError(sentence)


def _serverless(settings: EndpointSettings) -> dict[str, bool]:
    serverless = settings.kind == "serverless"
    given = (settings.memory_mb, settings.max_concurrency, settings.provisioned_concurrency)
    own_network = settings.volume_gb or settings.subnets or settings.network_isolation
    return {
        "A serverless endpoint has no instances and no GPU: leave endpoint.instance_type out "
        f"(null), got {settings.instance_type}; or choose endpoint=default.": serverless
        and bool(settings.instance_type),
        "A serverless endpoint scales by itself: leave endpoint.min_instances and endpoint.max_instances out.": (
            serverless and (settings.min_instances, settings.max_instances) != (None, None)
        ),
        "A serverless endpoint needs endpoint.memory_mb and endpoint.max_concurrency.": (
            serverless and None in given[:2]
        ),
        "A serverless endpoint is started while a caller waits, and Ray needs most of that minute: choose "
        "endpoint.server=torchserve.": serverless and settings.server == "ray",
        "A serverless endpoint keeps no copy of requests: leave endpoint.capture_percent at 0.": (
            serverless and settings.capture_percent > 0
        ),
        "A serverless endpoint has no volume and no network of yours: leave endpoint.volume_gb, endpoint.subnets and "
        "endpoint.network_isolation out.": serverless and bool(own_network),
        f"Expected endpoint.provisioned_concurrency to be at most endpoint.max_concurrency, got {given[2]} and "
        f"{given[1]}.": serverless and (given[2] or 0) > (given[1] or 0),
        "endpoint.memory_mb, endpoint.max_concurrency and endpoint.provisioned_concurrency are of a serverless "
        f"endpoint, this one is {settings.kind}; leave them out, or choose endpoint=serverless.": not serverless
        and given != (None, None, None),
        f"An endpoint that is {settings.kind} needs endpoint.instance_type, for instance ml.m5.large.": (
            not serverless and not settings.instance_type
        ),
    }


def _others(settings: EndpointSettings) -> dict[str, bool]:
    asynchronous = settings.kind == "async"
    return {
        f"endpoint.requests_at_once is of an asynchronous endpoint, this one is {settings.kind}; leave it out, or "
        "choose endpoint=async.": not asynchronous and settings.requests_at_once is not None,
        f"Callers of this endpoint wait for {LONGEST_ANSWER_SECONDS} seconds at most, got endpoint.response_seconds="
        f"{settings.response_seconds}; choose endpoint=async for longer.": (
            not asynchronous and settings.response_seconds > LONGEST_ANSWER_SECONDS
        ),
        "A VPC needs both endpoint.subnets and endpoint.security_groups; give both, or neither.": (
            bool(settings.subnets) != bool(settings.security_groups)
        ),
        "A container without a network cannot install what its code needs, and AWS's has no safetensors: give "
        "endpoint.image with it, or leave endpoint.network_isolation out.": settings.network_isolation
        and settings.image is None,
        "AWS's image is chosen by endpoint.framework_version, your own by endpoint.image; leave one of them out.": (
            settings.image is not None and settings.framework_version is not None
        ),
    }


def _scaling(settings: EndpointSettings) -> dict[str, bool]:
    low, high, count = settings.min_instances, settings.max_instances, settings.instance_count
    scales = low is not None and high is not None
    return {
        "Autoscaling needs both ends: give endpoint.min_instances and endpoint.max_instances, or neither.": (
            (low is None) != (high is None)
        ),
        f"Expected endpoint.min_instances to be at most endpoint.max_instances, got {low} and {high}.": (
            scales and (low or 1) > (high or 1)
        ),
        f"Autoscaling begins between its ends: expected endpoint.instance_count from {low} to {high}, got {count}.": (
            scales and not (low or 1) <= count <= (high or 1)
        ),
    }
