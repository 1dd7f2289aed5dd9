"""The role that SageMaker runs a job as: found where it usually is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import cloud_errors, is_denied, is_missing
from launch.accounts.permissions_command import permissions_command
from launch.accounts.session import AccountSettings

VARIABLES = ("SAGEMAKER_ROLE", "SAGEMAKER_ROLE_ARN")
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/\S+")
CALLER = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):")
ASSUMED = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/([^/]+)/")
SERVICE = "sagemaker.amazonaws.com"


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


def execution_role(settings: AccountSettings, caller_arn: str, iam: Any, **known: str) -> str:
    """The ARN: of the setting, of the environment, else of the notebook that this runs in.

    An ARN is taken as it is; the service looks at it.

    Args:
        settings: of the account.
        caller_arn: what STS says of who asks.
        iam: botocore's client.
        known: region, bucket and prefix, which the line that says how to make a role names.

    Raises:
        CloudError: there is none, or none of that name.
    """
    caller = CALLER.match(caller_arn)
    known = known | ({"account": caller[1]} if caller else {})
    wanted = wanted_role(settings)
    if account_of(wanted):
        return str(wanted)
    if wanted:
        found = _looked_up(iam, role_name(wanted))
        if found is None:
            raise CloudError(f"There is no role {wanted!r} in this account: {_how(known | {'role': wanted})}.")
        return str(found["Arn"])
    assumed = ASSUMED.match(caller_arn)
    # Who signs in as a role of people's may seldom look at it.
    own = _looked_up(iam, assumed[1], or_denied=True) if assumed else None
    if own is None or not trusts_sagemaker(own):
        raise CloudError(f"SageMaker needs a role to run jobs as, and none is set: {_how(known)}.")
    return str(own["Arn"])


def trusts_sagemaker(role: Mapping[str, Any]) -> bool:
    """Whether SageMaker may take on a role for the role's own account, as IAM describes it.

    >>> statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}}
    >>> trusts_sagemaker({"AssumeRolePolicyDocument": {"Statement": [statement]}})
    True
    """
    document = role.get("AssumeRolePolicyDocument") or {}
    statements = document.get("Statement", []) if isinstance(document, Mapping) else []
    listed = [statements] if isinstance(statements, Mapping) else statements
    account_id = account_of(role.get("Arn"))
    return any(
        SERVICE in _services(statement) and _takes_account(statement, account_id)
        for statement in listed
        if statement.get("Effect") == "Allow"
    )


def _takes_account(statement: Mapping[str, Any], account_id: str | None) -> bool:
    wanted = (statement.get("Condition") or {}).get("StringEquals") or {}
    # The keys of conditions know no case.
    accounts = next((value for key, value in wanted.items() if key.lower() == "aws:sourceaccount"), None)
    return accounts is None or account_id in ([accounts] if isinstance(accounts, str) else accounts)


def _services(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, Mapping) else []
    return [services] if isinstance(services, str) else list(services)


def _how(known: Mapping[str, str]) -> str:
    trust, rights = permissions_command("trust", **known), permissions_command("role", **known)
    return f"make one from what `{trust}` and `{rights}` print, then give job.role=NAME or set SAGEMAKER_ROLE"


def _looked_up(iam: Any, name: str, *, or_denied: bool = False) -> Mapping[str, Any] | None:
    from botocore.exceptions import ClientError

    with cloud_errors():
        try:
            found: Mapping[str, Any] = iam.get_role(RoleName=name)["Role"]
        except ClientError as error:
            if is_missing(error) or (or_denied and is_denied(error)):
                return None
            raise
    return found
