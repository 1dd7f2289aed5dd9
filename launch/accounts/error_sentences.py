"""The sentence for each thing that AWS refuses and each way in which it cannot be asked, with what mends it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

LOGIN = "`aws sso login`, or `aws configure`, then try again"
ACTION = re.compile(r"perform: (\S+)")
LIMIT = re.compile(r"service limit '([^']+)' is (\d+(?:\.\d+)?)")
USED = re.compile(r"current utilization of (\d+)\b.*request delta of (\d+)\b")


def error_code(error: Any) -> str:
    """Of what a service answered; empty for an error that is no answer."""
    return str(answer(error).get("Error", {}).get("Code", ""))


def answer(error: Any) -> Mapping[str, Any]:
    """Empty for an error that is no answer, which may have a response of None."""
    return getattr(error, "response", None) or {}


def message(error: Any) -> str:
    """What a service said, in one line."""
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split())


def refused(error: Any) -> str:
    """Of a refusal that nothing better is known of."""
    return f"AWS refused {error.operation_name}: {error_code(error)}: {message(error)}"


def _invalid(error: Any) -> str:
    return f"AWS cannot use the request {error.operation_name}: {message(error)}"


def failed(error: Any) -> str:
    """Of a failure to ask that nothing better is known of."""
    return f"AWS could not be asked: {' '.join(str(error).split())}"


def _expired(_: Any) -> str:
    return f"The AWS credentials have expired: {LOGIN}."


def _unknown_key(_: Any) -> str:
    return f"AWS does not know these credentials: `aws configure`, or {LOGIN}."


def _denied(error: Any) -> str:
    found = ACTION.search(message(error))
    action = found[1] if found else error.operation_name
    return (
        f"These credentials may not do {action}: add what `python -m launch.permissions` prints to their IAM policy "
        f"({message(error)})."
    )


def _over_limit(error: Any) -> str:
    found = LIMIT.search(message(error))
    if not found:
        return f"AWS refused {error.operation_name}, since a quota is used up: {message(error)}"
    used = USED.search(message(error))
    desired = int(used[1]) + int(used[2]) if used else 1
    return (
        f"The account's quota {found[1]!r} is {found[2]}, and this needs more of it: wait for other jobs to end, "
        f"choose another instance type, or ask for more: {quota_command(found[1], desired)}"
    )


def quota_command(name: str, desired: int = 1, region: str | None = None) -> str:
    """What asks AWS for more of a quota of SageMaker.

    Args:
        name: of the quota.
        desired: its new value.
        region: None for that of the environment.

    >>> quota_command("ml.g5.xlarge for training job usage", 3, "eu-west-1").split(" --")[1:4]
    ['region eu-west-1', 'service-code sagemaker', 'desired-value 3']
    """
    place = f" --region {region}" if region else ""
    code = (
        f"$(aws service-quotas list-service-quotas{place} --service-code sagemaker "
        f"--query \"Quotas[?QuotaName=='{name}'].QuotaCode\" --output text)"
    )
    return (
        f"aws service-quotas request-service-quota-increase{place} --service-code sagemaker --desired-value {desired} "
        f"--quota-code {code}"
    )


def _too_fast(error: Any) -> str:
    return f"AWS is asked too often for {error.operation_name}; wait a minute, then give the same command again."


Sentence = Callable[[Any], str]
VALIDATION = {"ValidationException", "ValidationError"}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
CODES: dict[str, Sentence] = {
    **dict.fromkeys(VALIDATION, _invalid),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired"), _expired),
    **dict.fromkeys(("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"), _unknown_key),
    **dict.fromkeys(DENIED, _denied),
    **dict.fromkeys(("Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"), _too_fast),
    "ResourceLimitExceeded": _over_limit,
}
CLASSES: dict[str, Sentence] = {
    "NoCredentialsError": lambda _: f"Found no AWS credentials: {LOGIN}; or set AWS_PROFILE, or job.profile.",
    "PartialCredentialsError": lambda e: (
        f"The AWS credentials are incomplete ({e.kwargs.get('cred_var')} is missing in {e.kwargs.get('provider')}): "
        "`aws configure`, or set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    ),
    "ProfileNotFound": lambda e: (
        f"There is no AWS profile {e.kwargs.get('profile')!r}: `aws configure list-profiles` shows those there are."
    ),
    "NoRegionError": lambda _: "No AWS region is set: give job.region=…, or set AWS_REGION.",
    "EndpointConnectionError": lambda e: (
        f"Cannot reach {e.kwargs.get('endpoint_url')}: look at the network, and at the region's name."
    ),
    "ConnectionClosedError": lambda _: "The connection to AWS was cut off; give the same command again.",
    "ConnectTimeoutError": lambda _: "AWS does not answer; look at the network, then give the same command again.",
    "ReadTimeoutError": lambda _: "AWS does not answer; look at the network, then give the same command again.",
    "UnauthorizedSSOTokenError": _expired,
    "SSOTokenLoadError": _expired,
    "TokenRetrievalError": _expired,
    "CredentialRetrievalError": lambda e: (
        f"The AWS credentials could not be got: {' '.join(str(e.kwargs.get('error_msg', e)).split())}: {LOGIN}."
    ),
    "ConfigParseError": lambda e: f"AWS's configuration file cannot be read: {e.kwargs.get('path')}; mend it.",
}
