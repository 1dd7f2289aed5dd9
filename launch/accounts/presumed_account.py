"""What can be told of an AWS account without asking anyone, for plans of which nothing is sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from launch.accounts.bucket import default_bucket
from launch.accounts.execution_role import account_of, wanted_role
from launch.accounts.session import AccountSettings, configured, configured_region, partition

UNKNOWN_ACCOUNT = "000000000000"
UNKNOWN_ROLE = "dogbreed-execution-role"
USUAL_REGION = "us-east-1"


@dataclass(frozen=True)
class Presumed:
    """An account that was not asked. Unpacks as region, account, role and bucket.

    Attributes:
        region: of the job.
        account_id: twelve digits.
        role: an ARN.
        bucket: for all that is uploaded.
        placeholders: the names of those that stand for something unknown.
    """

    region: str
    account_id: str
    role: str
    bucket: str
    placeholders: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        return iter((self.region, self.account_id, self.role, self.bucket))


def presumed_account(settings: AccountSettings, *, account_id: str | None = None) -> Presumed:
    """What can be told of the account without asking anyone; placeholders stand for the rest.

    Args:
        settings: that choose it.
        account_id: where it is known; else that of the role's ARN, or AWS_ACCOUNT_ID.

    Raises:
        CloudError: botocore is not installed, or there is no such profile.
    """
    region = configured_region(settings, configured(settings.profile))
    role = wanted_role(settings)
    account_id = account_id or account_of(role) or os.environ.get("AWS_ACCOUNT_ID")
    known = {"region": region, "account_id": account_id, "role": role, "bucket": settings.bucket or account_id}
    region, account_id = region or USUAL_REGION, account_id or UNKNOWN_ACCOUNT
    named = f"arn:{partition(region)}:iam::{account_id}:role/{role or UNKNOWN_ROLE}"
    return Presumed(
        region,
        account_id,
        str(role) if account_of(role) else named,
        settings.bucket or default_bucket(region, account_id),
        tuple(name for name, value in known.items() if not value),
    )
