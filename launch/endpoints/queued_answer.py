"""An answer of an asynchronous endpoint: the photo goes to S3, and there comes what the model answers, or why not."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from launch.accounts.cloud_errors import PassingCloudError, cloud_errors, is_missing
from launch.endpoints.model_reason import PhotoRefusedError, log_command, model_reason
from launch.endpoints.photo_payload import Payload
from launch.endpoints.served_endpoint import Served

ACCEPT = "application/json"
POLL_SECONDS, LONGEST_WAIT_SECONDS = 2.0, 900.0


def queued_answer(runtime: Any, s3: Any, endpoint: Served, payload: Payload, sleep: Callable[[float], None]) -> bytes:
    """What the model has answered, once it has.

    Args:
        runtime: client of the endpoints.
        s3: client of S3.
        endpoint: an asynchronous one.
        payload: the photo.
        sleep: for so many seconds.

    Raises:
        PassingCloudError: no answer came within a quarter of an hour.
        PhotoRefusedError: the model failed with it, for whatever reason.
    """
    bucket, _, below = endpoint.output_uri.removeprefix("s3://").partition("/")
    key = f"{below.removesuffix('output/')}input/{sha256(payload.body).hexdigest()}"
    with cloud_errors():
        s3.put_object(Bucket=bucket, Key=key, Body=payload.body, ContentType=payload.content_type)
        queued = runtime.invoke_endpoint_async(
            EndpointName=endpoint.name,
            InputLocation=f"s3://{bucket}/{key}",
            ContentType=payload.content_type,
            Accept=ACCEPT,
        )
    waited = 0.0
    while waited <= LONGEST_WAIT_SECONDS:
        if (body := _object(s3, queued["OutputLocation"])) is not None:
            return body
        if (body := _object(s3, queued.get("FailureLocation", ""))) is not None:
            raise PhotoRefusedError(
                f"The model of {endpoint.name} cannot use the photo: {model_reason(body.decode(errors='replace'))}"
            )
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    raise PassingCloudError(
        f"The endpoint {endpoint.name} left no answer within {LONGEST_WAIT_SECONDS:.0f} seconds; it comes to "
        f"{queued['OutputLocation']}. Its log: {log_command(endpoint.name)}"
    )


def _object(s3: Any, uri: str) -> bytes | None:
    """What is there, or None as long as nothing is."""
    from botocore.exceptions import ClientError

    if not uri:
        return None
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with cloud_errors():
        try:
            content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if is_missing(error):
                return None
            raise
    return content
