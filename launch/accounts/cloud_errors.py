"""What botocore raises, said in one line: what was refused, and the command that mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.error_sentences import (
    CLASSES,
    CODES,
    DENIED,
    LOGIN,
    VALIDATION,
    answer,
    error_code,
    failed,
    message,
    refused,
)

__all__ = [
    "INSTALL",
    "LOGIN",
    "LOST",
    "PassingCloudError",
    "cloud_errors",
    "error_code",
    "has_ended",
    "is_denied",
    "is_missing",
    "is_taken",
    "told",
]

INSTALL = 'Expected boto3 to be installed: pip install -e ".[launch]"'
NOT_FOUND = re.compile(r"could not find|not found|can't find|does not exist|no [\w ]+ found for", re.IGNORECASE)
ENDED = re.compile(r"(status|state|already|been)\W+(stopping|stopped|completed|failed)\b", re.IGNORECASE)
IN_USE = re.compile(r"already exist|in use", re.IGNORECASE)


class PassingCloudError(CloudError):
    """A fault that may pass by itself: requests too fast, a lost connection, a failure within the service."""


@contextmanager
def cloud_errors() -> Iterator[None]:
    """What botocore raises within the block leaves it as a CloudError.

    Raises:
        PassingCloudError: trying again later may do.
        CloudError: trying again will not do.
    """
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise CloudError(INSTALL) from error
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise told(error) from error


def told(error: Any) -> CloudError:
    """A botocore exception as a CloudError."""
    if answer(error):
        code = error_code(error)
        kind = PassingCloudError if code in PASSING or _status(error) >= 500 else CloudError
        return kind(CODES.get(code, refused)(error))
    kind = PassingCloudError if type(error).__name__ in LOST else CloudError
    names = [one.__name__ for one in type(error).__mro__]
    sentence = next((CLASSES[name] for name in names if name in CLASSES), failed)
    return kind(sentence(error))


def is_missing(error: Any) -> bool:
    """Whether the service says that there is no such thing; some of them say it as a validation error."""
    code = error_code(error)
    return code in MISSING or (code in VALIDATION and bool(NOT_FOUND.search(message(error))))


def has_ended(error: Any) -> bool:
    """Whether the service will not stop a job, since it is stopping or has ended."""
    is_stop = error.operation_name.startswith("Stop")
    return is_stop and error_code(error) in VALIDATION and bool(ENDED.search(message(error)))


def is_denied(error: Any) -> bool:
    """Whether the service says that who asks may not."""
    return error_code(error) in DENIED


def is_taken(error: Any) -> bool:
    """Whether the service says that there is such a thing already."""
    code = error_code(error)
    return code == "ResourceInUse" or (code in VALIDATION and bool(IN_USE.search(message(error))))


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


MISSING = {
    "ResourceNotFound",
    "ResourceNotFoundException",
    "NoSuchEntity",
    "NoSuchBucket",
    "NoSuchKey",
    "ObjectNotFoundException",
    "404",
}
PASSING = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
    "ServiceUnavailable",
    "InternalFailure",
    "InternalError",
}
LOST = {
    "ConnectionClosedError",
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "HTTPClientError",
    "ReadTimeoutError",
    "ResponseStreamingError",
}
