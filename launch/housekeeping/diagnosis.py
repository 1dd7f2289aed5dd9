"""What a job needs of this machine and of the account, looked at one by one; nothing is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

from dogbreed.errors import DogbreedError
from launch.accounts.account import Account, AccountSettings, asked_account
from launch.accounts.bucket import bucket_command, bucket_exists
from launch.accounts.cloud_errors import cloud_errors
from launch.accounts.error_sentences import quota_command
from launch.accounts.execution_role import execution_role, role_name, trusts_sagemaker
from launch.accounts.permissions_command import permissions_command
from launch.accounts.session import configured, configured_region
from launch.housekeeping.policies import Scope, role_policy
from launch.requests.images import training_image
from launch.requests.quotas import quota_name

PACKAGES = ("boto3", "botocore", "sagemaker-core")
# Somebody waits for the answers.
IMPATIENT = {"attempts": 1, "connect_timeout": 3, "read_timeout": 10}
# Of AWS's documentation: it stands for every account that a pattern matches.
ANY_ACCOUNT = "111122223333"


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes:
        name: of what was looked at.
        is_well: None where it could not be looked at yet.
        text: what is there, or what is missing and the command that mends it.
    """

    name: str
    is_well: bool | None
    text: str


class Wanted(AccountSettings, Protocol):
    """What is to run."""

    @property
    def prefix(self) -> str:
        """Of all that is uploaded."""

    @property
    def instance_type(self) -> str:
        """Of jobs."""

    @property
    def spot(self) -> bool:
        """Whether jobs take spare machines."""

    @property
    def endpoint_type(self) -> str:
        """The instance type of endpoints."""

    @property
    def transform_type(self) -> str:
        """The instance type of batch transforms."""


def diagnosis(wanted: Wanted) -> Iterator[Finding]:
    """Findings, each as soon as it is made: those of this machine first."""
    yield from (_looked("package", _package, name) for name in PACKAGES)
    yield (region := _looked("region", _region, wanted))
    yield _looked("image", _image, wanted) if region.is_well else Finding("image", None, "needs a region first")
    try:
        account, caller = asked_account(wanted, **IMPATIENT)
    except DogbreedError as error:
        yield Finding("credentials", False, str(error))
        yield from (Finding(name, None, "needs credentials first") for name in ("role", "bucket", "quotas"))
        return
    yield Finding("credentials", True, f"{caller}, account {account.account_id}")
    try:
        role = execution_role(wanted, caller, account.client("iam"), **_place(account, wanted.prefix))
    except DogbreedError as error:
        yield Finding("role", False, str(error))
    else:
        yield _looked("role", _role, account, role, wanted.prefix)
        yield _looked("role may", _permissions, account, role, wanted.prefix)
    yield _looked("bucket", _bucket, account, wanted)
    yield from _quotas(account, wanted)


def _looked(name: str, look: Callable[..., tuple[bool, str]], *arguments: Any) -> Finding:
    try:
        return Finding(name, *look(*arguments))
    except DogbreedError as error:
        return Finding(name, False, str(error))


def _package(name: str) -> tuple[bool, str]:
    try:
        return True, f"{name} {version(name)}"
    except PackageNotFoundError:
        return False, f'{name} is not installed: pip install -e ".[launch]"'


def _region(wanted: Wanted) -> tuple[bool, str]:
    region = configured_region(wanted, configured(wanted.profile))
    return bool(region), region or "none is set: give job.region=…, set AWS_REGION, or `aws configure`"


def _image(wanted: Wanted) -> tuple[bool, str]:
    region = configured_region(wanted, configured(wanted.profile))
    return True, training_image(str(region), wanted.instance_type)


def _place(account: Account, prefix: str) -> dict[str, str]:
    return {"region": account.region, "bucket": account.bucket, "prefix": prefix}


def _printed(what: str, account: Account, role: str, prefix: str) -> str:
    """The command that prints a policy into a file."""
    told = permissions_command(what, account=account.account_id, role=role, **_place(account, prefix))
    return f"{told} > {what}.json"


def _role(account: Account, role: str, prefix: str) -> tuple[bool, str]:
    with cloud_errors():
        found = account.client("iam").get_role(RoleName=role_name(role))["Role"]
    if trusts_sagemaker(found):
        return True, role
    command = (
        f"{_printed('trust', account, role, prefix)} && aws iam update-assume-role-policy --role-name "
        f"{role_name(role)} --policy-document file://trust.json"
    )
    return False, f"{role} does not let SageMaker take it on (the command replaces whom it lets now): {command}"


def _permissions(account: Account, role: str, prefix: str) -> tuple[bool, str]:
    iam = account.client("iam")
    scope = Scope(account.region, account.account_id, role, account.bucket, prefix)
    refused: list[str] = []
    for statement in role_policy(scope)["Statement"]:
        # A pattern is no resource: one that it matches stands for all.
        resources = [_example(one) for one in statement["Resource"] if one != "*"]
        asked = {"PolicySourceArn": role, "ActionNames": statement["Action"]}
        if resources:
            with cloud_errors():
                answer = iam.simulate_principal_policy(**asked, ResourceArns=resources)
            results = answer["EvaluationResults"]
            refused += [one["EvalActionName"] for one in results if one["EvalDecision"] != "allowed"]
    if not refused:
        return True, "read and write below the prefix, write logs, pull images"
    command = (
        f"{_printed('role', account, role, prefix)} && aws iam put-role-policy --role-name {role_name(role)} "
        "--policy-name dogbreed --policy-document file://role.json"
    )
    return False, f"not {', '.join(sorted(set(refused)))}: {command}"


def _example(pattern: str) -> str:
    """A resource that a pattern of ARNs matches.

    >>> _example("arn:aws:ecr:eu-west-1:*:repository/*")
    'arn:aws:ecr:eu-west-1:111122223333:repository/x'
    """
    parts = pattern.split(":", 5)
    return ":".join([*parts[:4], parts[4].replace("*", ANY_ACCOUNT), parts[5].replace("*", "x")])


def _bucket(account: Account, wanted: Wanted) -> tuple[bool, str]:
    if bucket_exists(account.client("s3"), account.bucket, account.account_id):
        return True, account.bucket
    if wanted.bucket:
        return False, f"there is no bucket {account.bucket}: {bucket_command(account.bucket, account.region)}"
    return True, f"{account.bucket} is made with the first job"


def _quotas(account: Account, wanted: Wanted) -> Iterator[Finding]:
    names = [
        quota_name(wanted.instance_type, "spot" if wanted.spot else "training"),
        quota_name(wanted.endpoint_type, "endpoint"),
        quota_name(wanted.transform_type, "transform"),
    ]
    try:
        values = quotas(account.client("service-quotas"))
    except DogbreedError as error:
        yield Finding("quotas", False, str(error))
        return
    for name in names:
        value = values.get(name)
        allowed = f"{name}: {value:g}" if value is not None else f"{name}: not among those of {account.region}"
        command = quota_command(name, region=account.region)
        lacking = f"{allowed}; at least 1 is needed. {command}"
        yield Finding("quota", True, allowed) if value else Finding("quota", False, lacking)


def quotas(client: Any) -> dict[str, float]:
    """What the account may use of SageMaker, by the name of the quota.

    Raises:
        CloudError: Service Quotas refused, or could not be asked.
    """
    pages = client.get_paginator("list_service_quotas")
    with cloud_errors():
        return {
            one["QuotaName"]: one["Value"]
            for page in pages.paginate(ServiceCode="sagemaker", PaginationConfig={"PageSize": 100})
            for one in page["Quotas"]
        }
