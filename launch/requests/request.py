"""What is asked of a cloud, as data: it can be shown, hashed and checked before anything is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    """One call of an AWS API.

    Attributes:
        operation: as the API names it: `CreateTrainingJob`.
        parameters: of the operation, with AWS's own names.
        service: as botocore names it: sagemaker, s3, iam, application-autoscaling and so on.
    """

    operation: str
    parameters: Mapping[str, Any]
    service: str = "sagemaker"


def canonical_sha256(parameters: Mapping[str, Any]) -> str:
    """The hash of what is asked, however its keys are ordered.

    >>> canonical_sha256({"a": 1, "b": [2]}) == canonical_sha256({"b": [2], "a": 1})
    True
    """
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def as_json(requests: Sequence[Request]) -> str:
    """The requests as a list of `{"operation", "request"}`, in the order they would be sent."""
    plain = [{"operation": request.operation, "request": request.parameters} for request in requests]
    return json.dumps(plain, indent=2)
