"""The bucket that takes all that is uploaded: SageMaker's usual one, made where it is missing."""

from __future__ import annotations

from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import cloud_errors, error_code, is_missing
from launch.requests.tags import PROJECT, tag_list

# The region in which S3 wants no place to be named.
FIRST_REGION = "us-east-1"


def default_bucket(region: str, account_id: str) -> str:
    """As SageMaker's own tools name it.

    >>> default_bucket("eu-west-1", "123456789012")
    'sagemaker-eu-west-1-123456789012'
    """
    return f"sagemaker-{region}-{account_id}"


def bucket_exists(s3: Any, bucket: str, account_id: str) -> bool:
    """Whether the account has the bucket.

    Raises:
        CloudError: it is another account's, or may not be looked at.
    """
    from botocore.exceptions import ClientError

    with cloud_errors():
        try:
            s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account_id)
        except ClientError as error:
            if is_missing(error):
                return False
            if error_code(error) in ("403", "AccessDenied"):
                raise CloudError(
                    f"The bucket {bucket} is not the account's {account_id}, or these credentials may not list it: "
                    "give another job.bucket=NAME, or add what `python -m launch.permissions` prints to their policy."
                ) from error
            raise
    return True


def bucket_command(bucket: str, region: str) -> str:
    """What makes a bucket by hand.

    >>> bucket_command("dogs", "eu-west-1")
    'aws s3 mb s3://dogs --region eu-west-1'
    """
    return f"aws s3 mb s3://{bucket} --region {region}"


def make_bucket(s3: Any, bucket: str, *, region: str, account_id: str) -> None:
    """A private, encrypted bucket with the project's tag.

    What an interrupted call left undone stays undone: a bucket that is there is left as it is, it may be another's.

    Raises:
        CloudError: it could not be made.
    """
    owned = {"Bucket": bucket, "ExpectedBucketOwner": account_id}
    place = {} if region == FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    with cloud_errors():
        s3.create_bucket(Bucket=bucket, **place)
        s3.put_public_access_block(**owned, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True))
        s3.put_bucket_encryption(**owned, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_bucket_tagging(**owned, Tagging={"TagSet": tag_list(PROJECT)})
