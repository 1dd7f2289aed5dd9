"""A photo to an endpoint, and its answer; whatever goes wrong between them in one line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import PassingCloudError, cloud_errors, error_code, told
from launch.accounts.session import client_options
from launch.endpoints.model_reason import PhotoRefusedError, log_command, model_reason
from launch.endpoints.photo_payload import Payload
from launch.endpoints.queued_answer import queued_answer
from launch.endpoints.served_endpoint import Served

ACCEPT = "application/json"
# InvokeEndpoint gives up after 60 by itself.
READ_SECONDS, ATTEMPTS = 70, 3


@dataclass(frozen=True)
class Clients:
    """Of the services that an answer needs: the endpoint's, and S3 for asynchronous ones."""

    runtime: Any
    s3: Any


def open_clients(session: Any) -> Clients:
    """Clients of a session of boto3's."""
    runtime = session.client("sagemaker-runtime", config=client_options(ATTEMPTS, read_timeout=READ_SECONDS))
    return Clients(runtime, session.client("s3", config=client_options()))


def ask(
    clients: Clients, endpoint: Served, payload: Payload, *, sleep: Callable[[float], None] = time.sleep
) -> list[dict[str, Any]]:
    """The breeds of a photo, the most probable first: each with `label`, `index` and `probability`.

    Raises:
        PhotoRefusedError: the model cannot use the photo.
        PassingCloudError: too many requests, or no answer in time.
        CloudError: the model failed, or the endpoint is not there.
    """
    if endpoint.kind == "async":
        return predictions(queued_answer(clients.runtime, clients.s3, endpoint, payload, sleep), endpoint.name)
    return predictions(_at_once(clients.runtime, endpoint.name, payload), endpoint.name)


def predictions(body: bytes, endpoint: str) -> list[dict[str, Any]]:
    """The breeds in an answer's body.

    Raises:
        CloudError: it is no answer of one of our models.

    >>> predictions(b'{"predictions": [[{"label": "Akita", "index": 0, "probability": 1.0}]]}', "dogs")[0]["label"]
    'Akita'
    """
    try:
        (found,) = json.loads(body)["predictions"]
        breeds = [{key: kind(one[key]) for key, kind in FIELDS.items()} for one in found]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        start = body[:60].decode(errors="replace")
        raise CloudError(f"The endpoint {endpoint} answered something else than breeds: {start!r}.") from error
    return breeds


FIELDS: dict[str, Callable[[Any], Any]] = {"label": str, "index": int, "probability": float}


def _at_once(runtime: Any, endpoint: str, payload: Payload) -> bytes:
    from botocore.exceptions import ClientError, ReadTimeoutError

    with cloud_errors():
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=endpoint, Body=payload.body, ContentType=payload.content_type, Accept=ACCEPT
            )
            body: bytes = answer["Body"].read()
        except ReadTimeoutError as error:
            raise PassingCloudError(
                f"The endpoint {endpoint} did not answer within {READ_SECONDS} s; its log: {log_command(endpoint)}"
            ) from error
        except ClientError as error:
            raise REASONS.get(error_code(error), _other)(error, endpoint) from error
    return body


def _model_error(error: Any, endpoint: str) -> CloudError:
    said, status = str(error.response.get("OriginalMessage", "")), str(error.response.get("OriginalStatusCode"))
    if status.startswith("4"):
        return PhotoRefusedError(f"The model of {endpoint} cannot use the photo: {model_reason(said)}")
    return CloudError(f"The model of {endpoint} failed ({status}): {model_reason(said)} {log_command(endpoint)}")


def _not_ready(_: Any, endpoint: str) -> CloudError:
    return PassingCloudError(f"The endpoint {endpoint} is not ready yet; give the same command again in a minute.")


def _other(error: Any, _: str) -> CloudError:
    return told(error)


REASONS: dict[str, Callable[[Any, str], CloudError]] = {
    "ModelError": _model_error,
    "ModelNotReadyException": _not_ready,
}
