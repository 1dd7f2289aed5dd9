"""Which of AWS's images a container runs, from the tables of AWS's own SDK.

The tables are read as files: to import the SDK takes seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from dogbreed.errors import ConfigError
from launch.requests.instances import family, processor

# Those that CUDA 13, which PyTorch's images since 2.11 bring, no longer computes on.
BEFORE_CUDA_13 = ("p2", "p3", "p3dn")
# Families with Arm processors, that images of their own serve.
GRAVITON = ("c6g", "c6gd", "c6gn", "c7g", "m6g", "m6gd", "r6g", "r6gd")
# Of Ray Serve's images: a tag that AWS moves to the newest of the major version, with its security patches.
RAY_MAJOR = "1"


def training_image(region: str, instance_type: str, version: str | None = None) -> str:
    """The image for training with PyTorch.

    Args:
        region: where it is pulled from.
        instance_type: decides between processor and GPU.
        version: of PyTorch, as AWS's images are named: 2.13; None for the newest.

    Raises:
        ConfigError: there is none for the region, the instance type or the version.
    """
    newest = _table("pytorch-amzn2023")["training"]
    if version is not None and version not in newest["versions"]:
        return _image("PyTorch", _table("pytorch")["training"], region, instance_type, version)
    if family(instance_type) in BEFORE_CUDA_13:
        raise ConfigError(
            f"The GPUs of {instance_type} are too old for CUDA 13, which AWS's images bring since PyTorch 2.11; choose "
            "job.instance_type=ml.g4dn.xlarge or another, or job.framework_version=2.6.0."
        )
    return _image("PyTorch", newest, region, instance_type, version)


def ray_image(region: str, instance_type: str | None, version: str | None = None) -> str:
    """The image for endpoints that answer by Ray Serve.

    Args:
        region: where it is pulled from.
        instance_type: decides between processor and GPU.
        version: of the image, not of Ray: 1.4; None for the newest of major version 1.

    Raises:
        ConfigError: there is none for the region, the instance type or the version.
    """
    if family(instance_type or "") in GRAVITON:
        raise ConfigError(
            f"AWS's images for Ray Serve do not run on Arm processors, as of {instance_type}; choose another "
            "endpoint.instance_type, or endpoint.server=torchserve."
        )
    return _image("Ray Serve", _table("ray-serve"), region, instance_type, version or RAY_MAJOR)


def inference_image(region: str, instance_type: str | None, version: str | None = None) -> str:
    """The image for endpoints with the contract of the PyTorch inference toolkit.

    Args:
        region: where it is pulled from.
        instance_type: decides between processor, GPU and Arm; None for a serverless endpoint.
        version: of PyTorch, as AWS's images are named: 2.6.0; None for the newest.

    Raises:
        ConfigError: there is none for the region, the instance type or the version.
    """
    scope = "inference_graviton" if family(instance_type or "") in GRAVITON else "inference"
    return _image("PyTorch", _table("pytorch")[scope], region, instance_type, version)


def rule_image(region: str) -> str:
    """The image that evaluates SageMaker's own rules.

    Raises:
        ConfigError: there is none for the region.
    """
    (newest,) = _table("debugger")["versions"].values()
    if region not in newest["registries"]:
        raise ConfigError(
            f"SageMaker's rules do not run in {region}, only in {', '.join(newest['registries'])}; leave "
            "debugger.hosted out: debugger=rules runs in the job itself, everywhere."
        )
    return f"{_registry(newest, region)}:latest"


def _image(what: str, table: Mapping[str, Any], region: str, instance_type: str | None, version: str | None) -> str:
    versions, aliases = table["versions"], table.get("version_aliases", {})
    version = version or max(versions, key=_parts)
    if aliases.get(version, version) not in versions:
        raise ConfigError(f"AWS has no image for {what} {version}; it has {', '.join(sorted(versions, key=_parts))}.")
    image = versions[aliases.get(version, version)]
    if region not in image["registries"]:
        raise ConfigError(
            f"AWS has no image for {what} {version} in {region}; choose an older framework_version, another region, "
            "or give an image of your own."
        )
    kind = processor(instance_type) if instance_type else "cpu"
    # PyTorch's tables say it once, Ray Serve's of each version.
    processors = image.get("processors") or table["processors"]
    if kind not in processors:
        raise ConfigError(
            f"AWS's images for {what} {version} compute on {' or '.join(processors)}, not on "
            f"{instance_type}; choose another instance_type."
        )
    return f"{_registry(image, region)}:{_tag(image, version, kind)}"


def _tag(image: Mapping[str, Any], version: str, kind: str) -> str:
    last = image.get("container_version", {}).get(kind)
    # The SDK's table leaves this ending of Arm's images to its code.
    arm = image["repository"].endswith(("-arm64", "-graviton"))
    parts = [
        image.get("tag_prefix", version),
        kind if image.get("processor_in_tag", True) else None,
        *image.get("py_versions", [])[-1:],
        f"{last}-sagemaker" if arm else last,
    ]
    return "-".join(part for part in parts if part)


def _registry(image: Mapping[str, Any], region: str) -> str:
    return f"{image['registries'][region]}.dkr.ecr.{region}.{_domain(region)}/{image['repository']}"


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


@cache
def _table(name: str) -> dict[str, Any]:
    try:
        path = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{name}.json")
        table: dict[str, Any] = json.loads(Path(str(path)).read_text(encoding="utf-8"))
    except (PackageNotFoundError, OSError) as error:
        raise ConfigError(
            'AWS\'s images are known to sagemaker-core, which is not installed: pip install -e ".[launch]"; or give an '
            "image of your own."
        ) from error
    return table


@cache
def _domain(region: str) -> str:
    """Of AWS in a region's part of the world."""
    from botocore.loaders import Loader

    parts = Loader().load_data("partitions")["partitions"]
    return next(str(part["outputs"]["dnsSuffix"]) for part in parts if re.match(part["regionRegex"], region))
