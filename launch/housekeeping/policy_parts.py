"""What IAM policies are made of, and what they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launch.accounts.session import partition

VERSION = "2012-10-17"
Statement = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """What the policies are about.

    Attributes:
        region: of jobs and endpoints.
        account_id: twelve digits.
        role: ARN of the role that jobs run as.
        bucket: for all that is uploaded.
        prefix: of all that is uploaded.
        data: places in S3 with photos of yours, read by jobs.
        vpc: whether jobs run in a network of yours.
        kms: ARN of the key that encrypts disks or what is stored; empty for none.
        mlflow: ARN of a tracking server or app; empty for none.
        remote_debug: whether a shell is opened in jobs.
    """

    region: str
    account_id: str
    role: str
    bucket: str
    prefix: str
    data: Sequence[str] = ()
    vpc: bool = False
    kms: str = ""
    mlflow: str = ""
    remote_debug: bool = False

    def arn(self, service: str, *resources: str) -> list[str]:
        """Of resources in the region."""
        return [f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{one}" for one in resources]

    def s3(self, *resources: str) -> list[str]:
        """Of buckets and objects."""
        return [f"arn:{self.partition}:s3:::{one}" for one in resources]

    @property
    def partition(self) -> str:
        """Of AWS."""
        return partition(self.region)


def policy(*statements: Statement) -> dict[str, Any]:
    """As IAM reads it."""
    return {"Version": VERSION, "Statement": list(statements)}


def statement(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, Any] | None = None
) -> Statement:
    """Of a policy: what it allows, on what, and when."""
    plain = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
    return plain | ({"Condition": dict(condition)} if condition else {})


def allowed_actions(document: Mapping[str, Any]) -> set[str]:
    """All that a policy allows something of."""
    return {action for one in document["Statement"] for action in one["Action"]}
