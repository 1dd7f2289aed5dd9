"""The variables of an endpoint's container: where its code is, what it may take, how long an answer may need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dogbreed.errors import ConfigError
from dogbreed.serving.settings import Settings
from launch.requests.tuning_settings import given
from launch.shipping.secret_patterns import secret_in

if TYPE_CHECKING:
    from launch.endpoints.endpoint_settings import EndpointSettings

# The toolkit's place for the code that an archive brings.
CODE = "/opt/ml/model/code"
# code/ray_app.py, which the archive brings too. Below BACKEND, SageMaker's adapter asks whether the container is
# healthy: Ray itself says so as soon as it has begun, the model when it has answered a photo.
APPLICATION, BACKEND = "ray_app:app", "http://127.0.0.1:8000/breeds"
# Bytes of a request. InvokeEndpoint takes no more; what is queued in S3 may be as large as any photo we read.
LARGEST_REQUEST, LARGEST_QUEUED = 6_291_456, 64 * 2**20
# The variable by which the model's own code is told, and the owner may say otherwise.
LARGEST = "DOGBREED_MAX_BYTES"
SECRET = re.compile(r"SECRET|TOKEN|PASSW|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
# What the project sets itself.
OWN = ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY", "SM_RAYSERVE_APP", "RAYSERVE_BACKEND_URL")


def environment(settings: EndpointSettings, region: str) -> dict[str, str]:
    """The container's variables; those of the settings come last.

    >>> from launch.endpoints.endpoint_settings import EndpointSettings
    >>> environment(EndpointSettings(server="torchserve"), "eu-west-1")["SAGEMAKER_PROGRAM"]
    'inference.py'
    """
    largest = str(LARGEST_QUEUED if settings.kind == "async" else LARGEST_REQUEST)
    own = {"SAGEMAKER_REGION": region, LARGEST: largest, **settings.environment}
    return {**given(VARIABLES[settings.server](settings, own[LARGEST])), **own}


def _torchserve(settings: EndpointSettings, largest: str) -> dict[str, Any]:
    workers = settings.workers or (1 if settings.kind == "serverless" else None)
    return {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": CODE,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": str(settings.log_level),
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": str(settings.response_seconds),
        "SAGEMAKER_MODEL_SERVER_WORKERS": None if workers is None else str(workers),
        # The server's own bound: what the code would take must reach it.
        "TS_MAX_REQUEST_SIZE": largest,
        "TS_MAX_RESPONSE_SIZE": str(LARGEST_REQUEST),
        "TS_DEFAULT_RESPONSE_TIMEOUT": str(settings.response_seconds),
    }


def _ray(settings: EndpointSettings, _: str) -> dict[str, Any]:
    return {
        "SM_RAYSERVE_APP": APPLICATION,
        "RAYSERVE_BACKEND_URL": BACKEND,
        "RAYSERVE_BACKEND_TIMEOUT": str(settings.response_seconds),
        "DOGBREED_REPLICAS": None if settings.workers is None else str(settings.workers),
        "DOGBREED_LOG_LEVEL": str(settings.log_level),
    }


# By server: what its container is told.
VARIABLES: dict[str, Callable[[EndpointSettings, str], dict[str, Any]]] = {"torchserve": _torchserve, "ray": _ray}


def check_environment(settings: EndpointSettings) -> None:
    """No variable that holds a secret: whoever may describe the model reads them. None that the model cannot use.

    Raises:
        ConfigError: a name that promises one, more than a text, or a value that would keep the model from beginning.
    """
    for name, value in settings.environment.items():
        for sentence in _faults(name, value):
            raise ConfigError(sentence)
    try:
        Settings.from_environment(settings.environment)
    except ConfigError as error:
        raise ConfigError(f"endpoint.environment: {error}") from error


def _faults(name: str, value: object) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"Expected endpoint.environment.{name} to be a text, got {value!r}; write it in quotes."
        return
    if name in OWN:
        yield f"endpoint.environment.{name} is how the model's own code is found; leave it out."
    if SECRET.search(name) or secret_in(value.encode()):
        yield (
            f"endpoint.environment.{name} looks like a secret, and whoever may describe the model reads it; let the "
            "endpoint's role read it from AWS Secrets Manager instead."
        )
