"""The AWS account that a job goes to: who pays, where, as which role, into which bucket."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.bucket import bucket_command, bucket_exists, default_bucket, make_bucket
from launch.accounts.cloud_errors import cloud_errors
from launch.accounts.execution_role import execution_role
from launch.accounts.presumed_account import Presumed, presumed_account
from launch.accounts.session import AccountSettings, client_options, configured, configured_region

__all__ = [
    "Account",
    "AccountSettings",
    "Presumed",
    "asked_account",
    "open_account",
    "open_session",
    "presumed_account",
]


@dataclass(frozen=True)
class Account:
    """An account that answers.

    Attributes:
        session: boto3's.
        region: of the job.
        account_id: twelve digits.
        role: ARN of the role that jobs run as.
        bucket: for all that is uploaded.
    """

    session: Any
    region: str
    account_id: str
    role: str
    bucket: str
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """Botocore's client of a service: tries again by the standard mode, and does not wait for ever."""
        # To make one takes a tenth of a second.
        if service not in self._clients:
            self._clients[service] = self.session.client(service, config=client_options())
        return self._clients[service]


def open_account(settings: AccountSettings) -> Account:
    """The account of the usual places: settings, environment, AWS's configuration files, the machine's own role.

    The usual bucket is made where it is missing; one that was named has to be there.

    Raises:
        CloudError: credentials, region, role or bucket are missing, or are not what AWS takes.
    """
    account, caller_arn = asked_account(settings)
    role = execution_role(settings, caller_arn, account.client("iam"), region=account.region, bucket=account.bucket)
    s3, place = account.client("s3"), {"region": account.region, "account_id": account.account_id}
    if not bucket_exists(s3, account.bucket, account.account_id):
        if settings.bucket:
            raise CloudError(f"There is no bucket {account.bucket}: {bucket_command(account.bucket, account.region)}")
        make_bucket(s3, account.bucket, **place)
    return replace(account, role=role)


def asked_account(settings: AccountSettings, **limits: int) -> tuple[Account, str]:
    """The account that the credentials belong to, without a role, and the ARN of who asks. No bucket is looked for.

    Args:
        settings: that choose it.
        limits: of the client that asks: `attempts`, `connect_timeout`, `read_timeout`.

    Raises:
        CloudError: credentials or region are missing, or are not what AWS takes.
    """
    session, region = open_session(settings)
    with cloud_errors():
        caller = session.client("sts", config=client_options(**limits)).get_caller_identity()
    account_id = str(caller["Account"])
    bucket = settings.bucket or default_bucket(region, account_id)
    return Account(session, region, account_id, "", bucket), str(caller["Arn"])


def open_session(settings: AccountSettings) -> tuple[Any, str]:
    """boto3's session, and its region.

    Raises:
        CloudError: boto3 is not installed, there is no such profile, or no region.
    """
    session = configured(settings.profile)
    region = configured_region(settings, session)
    if not region:
        raise CloudError("No AWS region is set: give job.region=…, set AWS_REGION, or `aws configure`.")
    from boto3 import Session

    with cloud_errors():
        return Session(botocore_session=session, region_name=region), region
