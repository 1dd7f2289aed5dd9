"""What a job reads, brought to S3 once: checksummed, and gone on with where an earlier upload broke off."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dogbreed.errors import ConfigError
from launch.shipping import s3_objects
from launch.shipping.folder_upload import FolderUpload
from launch.shipping.manifest import Manifest
from launch.shipping.s3_objects import bucket_errors
from launch.shipping.stored_manifests import StoredManifests

# As many as a client of botocore keeps connections.
WORKERS = 10
# What S3 takes in one part.
MAX_PUT_BYTES = 5 << 30


def upload_folder(
    client: Any,
    root: Path,
    manifest: Manifest,
    *,
    bucket: str,
    prefix: str,
    workers: int = WORKERS,
    show: Callable[[str], object] = lambda _: None,
) -> str:
    """Bring the files of a folder to `photos/<hash>/` below the prefix; what is there already stays.

    Files that the version uploaded last has are copied there. The manifest comes to `manifests/<hash>.json` at the end,
    when a listing has shown every file with its size: without it, the next call looks at the checksum of each file that
    is there.

    Args:
        client: for S3.
        root: the folder.
        manifest: of the folder.
        bucket: in which to put it.
        prefix: under which all of the project's keys are.
        workers: files at a time.
        show: told in one line what there is to do.

    Returns:
        The S3 URI of the folder, with a slash at its end.

    Raises:
        CloudError: S3 could not be asked, or has something else in the end.
        DataError: a file changed since the manifest was made.
    """
    with bucket_errors(bucket):
        stored = StoredManifests(client, bucket, prefix)
        upload = FolderUpload(client, root, manifest, bucket, stored.folder(manifest), workers)
        complete = stored.is_complete(manifest)
        missing = upload.missing(trusted=complete)
        show(f"{len(missing):,} of {len(manifest.files):,} files to upload to s3://{bucket}/{upload.folder}")
        if missing:
            upload.bring(missing, stored.newest_other(manifest))
        upload.verify()
        if not complete:
            stored.complete(manifest)
    return f"s3://{bucket}/{upload.folder}"


def upload_bytes(client: Any, content: bytes, *, bucket: str, key: str) -> str:
    """Bring a content to S3, unless it is there; its S3 URI.

    Raises:
        CloudError: S3 could not be asked, or refused it.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    with bucket_errors(bucket):
        if not s3_objects.is_stored(client, bucket=bucket, key=key, sha256=sha256, size=len(content)):
            s3_objects.put(client, content, bucket=bucket, key=key, sha256=sha256)
    return f"s3://{bucket}/{key}"


def upload_file(client: Any, path: Path, *, bucket: str, key: str) -> str:
    """Bring a file of up to 5 GiB to S3, unless it is there; its S3 URI.

    Raises:
        CloudError: S3 could not be asked, or refused it, as it does when the file changes meanwhile.
        ConfigError: the file cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file, bucket_errors(bucket):
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if (size := file.tell()) > MAX_PUT_BYTES:
                raise ConfigError(f"Expected a file of up to {MAX_PUT_BYTES >> 30} GiB to upload, {path} has {size:,}.")
            file.seek(0)
            if not s3_objects.is_stored(client, bucket=bucket, key=key, sha256=sha256, size=size):
                s3_objects.put(client, file, bucket=bucket, key=key, sha256=sha256)
    except OSError as error:
        raise ConfigError(f"Expected to read {path} to upload it, but: {error.strerror or error}.") from error
    return f"s3://{bucket}/{key}"
