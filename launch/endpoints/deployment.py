"""What a deployment is about to make: requests whose names are hashes of what they ask for. Nothing has been sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from launch.endpoints import hosting
from launch.endpoints.container_environment import environment
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.requests.images import inference_image, ray_image
from launch.requests.request import Request
from launch.requests.tags import PROJECT, named_by_content
from launch.requests.validation import check


@dataclass(frozen=True)
class Deployment:
    """An endpoint that is to be.

    Attributes:
        name: of the endpoint.
        settings: of the endpoint.
        model: the request that makes its model.
        config: the request that makes its configuration.
        endpoint: the request that makes it.
        update: the request that gives one of its name this configuration.
        scaling: requests for its scaling.
        registry: requests that register the model.
    """

    name: str
    settings: EndpointSettings
    model: Request
    config: Request
    endpoint: Request
    update: Request
    scaling: Sequence[Request]
    registry: Sequence[Request]

    @property
    def config_name(self) -> str:
        """Of the endpoint's configuration."""
        return str(self.config.parameters["EndpointConfigName"])

    @property
    def requests(self) -> list[Request]:
        """All that make it new, in order."""
        return [*self.registry, self.model, self.config, self.endpoint, *self.scaling]


@dataclass(frozen=True)
class Registration:
    """A version in the model registry.

    Attributes:
        group: of models.
        card: the model's JSON.
        metrics_uri: of its test figures in S3.
    """

    group: str
    card: Mapping[str, Any]
    metrics_uri: str


def deployment(
    settings: EndpointSettings,
    *,
    name: str | None,
    role: str,
    region: str,
    root: str,
    model_data: str,
    model_version: str = "",
    registration: Registration | None = None,
) -> Deployment:
    """The deployment of a model, each request checked against AWS's description of its API.

    Args:
        settings: of the endpoint.
        name: of the endpoint; None for one that is a hash of what it is.
        role: ARN that the container runs as.
        region: of all of it.
        root: of the project in S3, without a slash at its end.
        model_data: of the model.tar.gz in S3.
        model_version: of what is in S3 under that name; empty where the name tells.
        registration: None registers nothing.

    Raises:
        ConfigError: something that SageMaker would not take.
    """
    image = settings.image or IMAGES[settings.server](region, settings.instance_type, settings.framework_version)
    of_model = partial(_model, settings, image, role, region, model_data)
    model = named_by_content(of_model, settings.tags, [model_version])
    of_config = partial(_config, settings, str(model.parameters["ModelName"]), root)
    config = named_by_content(of_config, settings.tags)
    config_name = str(config.parameters["EndpointConfigName"])
    name = name or config_name
    registry = _registry(settings, image, region, model_data, registration) if registration else []
    made = Deployment(
        name,
        settings,
        model,
        config,
        hosting.endpoint(name, config=config_name, tags={**settings.tags, **PROJECT}),
        hosting.endpoint_update(name, settings, config=config_name),
        hosting.autoscaling(name, settings),
        registry,
    )
    for request in [*made.requests, made.update]:
        check(request)
    return made


IMAGES: dict[str, Callable[[str, str | None, str | None], str]] = {"torchserve": inference_image, "ray": ray_image}


def _model(
    settings: EndpointSettings, image: str, role: str, region: str, model_data: str, name: str, tags: Mapping[str, str]
) -> Request:
    return hosting.model(name, settings, image=image, role=role, region=region, model_data=model_data, tags=tags)


def _config(settings: EndpointSettings, model: str, root: str, name: str, tags: Mapping[str, str]) -> Request:
    return hosting.endpoint_config(name, settings, model=model, root=root, tags=tags)


def _registry(
    settings: EndpointSettings, image: str, region: str, model_data: str, registration: Registration
) -> list[Request]:
    return hosting.model_package(
        registration.group,
        image=image,
        model_data=model_data,
        environment=environment(settings, region),
        card=registration.card,
        metrics_uri=registration.metrics_uri,
        instance_types=[settings.instance_type] if settings.instance_type else [],
        tags={**settings.tags, **PROJECT},
    )
