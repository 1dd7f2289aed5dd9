"""Objects in S3, one at a time: what is stored is what was meant, or an error says so."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dogbreed.errors import CloudError, ConfigError
from launch.accounts.cloud_errors import LOGIN, cloud_errors, error_code, is_missing

URI = re.compile(r"s3://([^/]+)/(.+)", re.DOTALL)
# By the code of the error. The answer to HEAD has no text: an expired token is a bare 400.
SAID = {
    "NoSuchBucket": "There is no bucket {bucket}: give another job.bucket=NAME, or make it: `aws s3 mb s3://{bucket}`.",
    "400": f"S3 refused a question about {{bucket}} and gave no reason, as when credentials have expired: {LOGIN}.",
}
# Of an object whose ETag is the MD5 of its content.
PLAIN_ENCRYPTIONS = (None, "AES256")


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key.

    Raises:
        ConfigError: the text names no object.

    >>> split_uri("s3://dogs/output/model.tar.gz")
    ('dogs', 'output/model.tar.gz')
    """
    if (found := URI.fullmatch(uri)) is None:
        raise ConfigError(f"Expected s3://BUCKET/KEY, got {uri!r}.")
    return found[1], found[2]


@contextmanager
def bucket_errors(bucket: str) -> Iterator[None]:
    """What botocore raises within the block leaves it as a CloudError.

    Raises:
        CloudError: as `launch.accounts.cloud_errors`, and what only S3 says.
    """
    from botocore.exceptions import ClientError

    with cloud_errors():
        try:
            yield
        except ClientError as error:
            if (said := SAID.get(error_code(error))) is not None:
                raise CloudError(said.format(bucket=bucket)) from error
            raise


def put(client: Any, content: bytes | IO[bytes], *, bucket: str, key: str, sha256: str) -> None:
    """Store a content; S3 refuses any other than the one with this SHA-256 (hexadecimal).

    In one part: nothing is left behind when it breaks off.
    """
    client.put_object(
        Bucket=bucket, Key=key, Body=content, ChecksumAlgorithm="SHA256", ChecksumSHA256=as_base64(sha256)
    )


def is_stored(client: Any, *, bucket: str, key: str, sha256: str, size: int) -> bool:
    """Whether S3 has this content there, by its own checksum."""
    from botocore.exceptions import ClientError

    try:
        found = client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return bool(found["ContentLength"] == size and found.get("ChecksumSHA256") == as_base64(sha256))


def copy(client: Any, *, bucket: str, source: str, key: str, sha256: str) -> bool:
    """Store a content that S3 has under another key; False where it no longer has it."""
    from botocore.exceptions import ClientError

    place = {"Bucket": bucket, "Key": source}
    try:
        answer = client.copy_object(Bucket=bucket, Key=key, CopySource=place, ChecksumAlgorithm="SHA256")
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            return False
        raise
    return bool(answer["CopyObjectResult"].get("ChecksumSHA256") == as_base64(sha256))


def listing(client: Any, *, bucket: str, prefix: str) -> dict[str, dict[str, Any]]:
    """What S3 says of every object whose key begins with the prefix, by key."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {found["Key"]: found for page in pages for found in page.get("Contents", [])}


def checksum_fault(file: Path, head: Mapping[str, Any], sha256: str | None) -> str | None:
    """Say how a file differs from an object; None where it does not, as far as can be told.

    Args:
        file: with the content of the object.
        head: what S3 says of the object.
        sha256: in hexadecimal, where known; else the object's own, else the MD5 that its ETag may be. Objects uploaded
            in parts by others may have none of these.
    """
    checks = {"sha256": sha256 or _whole_sha256(head), "md5": _md5(head)}
    name, expected = next(((name, value) for name, value in checks.items() if value), ("", ""))
    if not name:
        return None
    with file.open("rb") as content:
        came = hashlib.file_digest(content, lambda: hashlib.new(name, usedforsecurity=False)).hexdigest()
    return None if came == expected else f"bytes with {name} {came} instead of {expected}"


def as_base64(sha256: str) -> str:
    """A checksum as S3 writes it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _whole_sha256(head: Mapping[str, Any]) -> str:
    """The object's own, unless it is one of the checksums of its parts."""
    text = head.get("ChecksumSHA256", "")
    return "" if "-" in text or head.get("ChecksumType") == "COMPOSITE" else base64.b64decode(text).hex()


def _md5(head: Mapping[str, Any]) -> str:
    found = re.fullmatch(r'"([0-9a-f]{32})"', head.get("ETag", ""))
    plain = head.get("ServerSideEncryption") in PLAIN_ENCRYPTIONS and "SSECustomerAlgorithm" not in head
    return found[1] if found and plain else ""
