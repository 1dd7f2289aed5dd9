"""What is kept in S3 below the project's prefix, and removing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import cloud_errors

AT_ONCE = 1000


@dataclass(frozen=True)
class Stored:
    """How much there is.

    Attributes:
        uri: of the prefix.
        count: of objects.
        bytes: of all of them.
    """

    uri: str
    count: int
    bytes: int


def stored(s3: Any, bucket: str, prefix: str, account_id: str) -> Stored:
    """What lies below the prefix.

    Raises:
        CloudError: S3 refused, or could not be asked.
    """
    count = total = 0
    with cloud_errors():
        for page in _pages(s3, bucket, prefix, account_id):
            count += len(page)
            total += sum(one["Size"] for one in page)
    return Stored(f"s3://{bucket}/{prefix}/", count, total)


def remove_stored(s3: Any, bucket: str, prefix: str, account_id: str) -> int:
    """Remove what lies below the prefix; how many objects.

    Raises:
        CloudError: S3 refused, or could not be asked; some objects may be gone then.
    """
    removed = 0
    with cloud_errors():
        for page in _pages(s3, bucket, prefix, account_id):
            keys = [{"Key": one["Key"]} for one in page]
            asked = {"Bucket": bucket, "ExpectedBucketOwner": account_id, "Delete": {"Objects": keys, "Quiet": True}}
            if refused := s3.delete_objects(**asked).get("Errors"):
                raise CloudError(f"S3 did not remove {refused[0]['Key']}: {refused[0].get('Message', '')}")
            removed += len(keys)
    return removed


def _pages(s3: Any, bucket: str, prefix: str, account_id: str) -> Iterator[list[dict[str, Any]]]:
    asked = {"Bucket": bucket, "Prefix": f"{prefix}/", "ExpectedBucketOwner": account_id}
    for page in s3.get_paginator("list_objects_v2").paginate(**asked, PaginationConfig={"PageSize": AT_ONCE}):
        if page.get("Contents"):
            yield page["Contents"]
