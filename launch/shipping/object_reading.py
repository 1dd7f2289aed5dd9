"""An object of S3 as it is read in pieces, and what may go wrong with a piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import error_code

# Of one read: what has come of it is lost when the connection breaks.
CHUNK_BYTES = 1 << 17
# The object is another one now, or shorter.
REPLACED = ("PreconditionFailed", "412", "InvalidRange", "416")


class BrokenOffError(Exception):
    """A try that failed in a way that another one may mend; says what came."""


class DamagedError(BrokenOffError):
    """What has come so far is of no use."""


@dataclass(frozen=True)
class ObjectReader:
    """An object, by its place."""

    client: Any
    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """As S3's tools take it."""
        return f"s3://{self.bucket}/{self.key}"

    def head(self) -> dict[str, Any]:
        """What S3 says of it.

        Raises:
            CloudError: there is no such object.
        """
        from botocore.exceptions import ClientError

        try:
            return dict(self.client.head_object(Bucket=self.bucket, Key=self.key, ChecksumMode="ENABLED"))
        except ClientError as error:
            if error_code(error) == "404":
                raise CloudError(
                    f"There is no {self.uri}: `aws s3 ls '{self.uri.rpartition('/')[0]}/'` shows what there is."
                ) from error
            raise

    def read(self, offset: int, head: dict[str, Any]) -> tuple[int, Iterator[bytes]]:
        """The bytes from an offset on, and where they really begin: at the offset, or at zero.

        Args:
            offset: less than the object's size, unless that is zero.
            head: as `head` gave it; the bytes are those of the same object.

        Raises:
            BrokenOffError: there is another object now, or the answer is not what was asked for; or, while the bytes
                are read, a connection that broke off.
        """
        answer = self._open(offset, head["ETag"])
        if answer["ETag"] != head["ETag"]:
            raise BrokenOffError("another object in its place")
        if offset and answer["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.OK:
            offset = 0
        total = head["ContentLength"]
        if offset and answer.get("ContentRange") != f"bytes {offset}-{total - 1}/{total}":
            raise BrokenOffError(f"the wrong range {answer.get('ContentRange')}")
        return offset, _chunks(answer["Body"])

    def _open(self, offset: int, etag: str) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        part = {"Range": f"bytes={offset}-"} if offset else {}
        try:
            return dict(self.client.get_object(Bucket=self.bucket, Key=self.key, IfMatch=etag, **part))
        except ClientError as error:
            if error_code(error) in REPLACED:
                raise BrokenOffError("another object in its place") from error
            raise


def _chunks(body: Any) -> Iterator[bytes]:
    from botocore.exceptions import BotoCoreError, FlexibleChecksumError
    from urllib3.exceptions import HTTPError

    try:
        with body:
            while chunk := body.read(CHUNK_BYTES):
                yield chunk
    except FlexibleChecksumError as error:
        raise DamagedError("bytes with another checksum than the object's") from error
    except (BotoCoreError, HTTPError, OSError) as error:
        raise BrokenOffError(f"a connection that broke off ({error})") from error
