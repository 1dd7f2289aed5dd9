"""The role that SageMaker runs a job as: found where it usually is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import cloud_errors, is_missing
from launch.accounts.session import AccountSettings

VARIABLES = ("SAGEMAKER_ROLE", "SAGEMAKER_ROLE_ARN")
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/\S+")
ASSUMED = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/([^/]+)/")
SERVICE = "sagemaker.amazonaws.com"
HOW = (
    "make one from what `python -m launch.permissions what=trust` and `what=role` print, then give job.role=NAME or "
    "set SAGEMAKER_ROLE"
)


def wanted_role(settings: AccountSettings) -> str | None:
    """Name or ARN: the setting, else a variable of the environment."""
    return settings.role or next((os.environ[name] for name in VARIABLES if os.environ.get(name)), None)


def account_of(role: str | None) -> str | None:
    """The account of a role's ARN; None for a name.

    >>> account_of("arn:aws:iam::123456789012:role/dogs")
    '123456789012'
    """
    found = ROLE_ARN.fullmatch(role or "")
    return found[1] if found else None


def role_name(role: str) -> str:
    """Of a name or an ARN, whose role may lie in a path.

    >>> role_name("arn:aws:iam::123456789012:role/service-role/dogs")
    'dogs'
    """
    return role.rpartition("/")[2]


def execution_role(settings: AccountSettings, caller_arn: str, iam: Any) -> str:
    """The ARN: of the setting, of the environment, else of the notebook that this runs in.

    An ARN is taken as it is; the service looks at it.

    Args:
        settings: of the account.
        caller_arn: what STS says of who asks.
        iam: botocore's client.

    Raises:
        CloudError: there is none, or none of that name.
    """
    wanted = wanted_role(settings)
    if account_of(wanted):
        return str(wanted)
    if wanted:
        return str(_found(iam, wanted)["Arn"])
    assumed = ASSUMED.match(caller_arn)
    own = _looked_up(iam, assumed[1]) if assumed else None
    if own is None or not trusts_sagemaker(own):
        raise CloudError(f"SageMaker needs a role to run jobs as, and none is set: {HOW}.")
    return str(own["Arn"])


def trusts_sagemaker(role: Mapping[str, Any]) -> bool:
    """Whether SageMaker may take on a role, as IAM describes it.

    >>> statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}}
    >>> trusts_sagemaker({"AssumeRolePolicyDocument": {"Statement": [statement]}})
    True
    """
    document = role.get("AssumeRolePolicyDocument") or {}
    statements = document.get("Statement", []) if isinstance(document, Mapping) else []
    listed = [statements] if isinstance(statements, Mapping) else statements
    return any(SERVICE in _services(statement) for statement in listed if statement.get("Effect") == "Allow")


def _services(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, Mapping) else []
    return [services] if isinstance(services, str) else list(services)


def _found(iam: Any, name: str) -> Mapping[str, Any]:
    role = _looked_up(iam, role_name(name))
    if role is None:
        raise CloudError(f"There is no role {name!r} in this account: {HOW}.")
    return role


def _looked_up(iam: Any, name: str) -> Mapping[str, Any] | None:
    from botocore.exceptions import ClientError

    with cloud_errors():
        try:
            found: Mapping[str, Any] = iam.get_role(RoleName=name)["Role"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
    return found
