"""Why an endpoint's container failed, from what it said."""

from __future__ import annotations

import json

from dogbreed.errors import CloudError

LONGEST_REASON = 300


class PhotoRefusedError(CloudError):
    """A photo that the model cannot use; it may answer others."""


def log_command(endpoint: str) -> str:
    """What shows an endpoint's log."""
    return f"aws logs tail /aws/sagemaker/Endpoints/{endpoint}"


def model_reason(said: str) -> str:
    """The sentence in what a container answered: the message of its JSON, or the last line, where tracebacks say it.

    >>> model_reason('{"code": 400, "message": "Expected a photo."}')
    'Expected a photo.'
    """
    try:
        found = json.loads(said)
        told = found.get("message") or found.get("error") if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        told = None
    lines = str(told or said).strip().splitlines() or ["it gave no reason."]
    return lines[-1][:LONGEST_REASON]
