"""One object of S3 as a file, whole and verified: goes on where an earlier try broke off."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dogbreed.atomic import replace_durably
from dogbreed.data.lock import locked
from dogbreed.data.partial_file import PartialFile
from dogbreed.errors import CloudError
from launch.shipping.object_reading import BrokenOffError, DamagedError, ObjectReader
from launch.shipping.s3_objects import bucket_errors, checksum_fault, split_uri

LONGEST_WAIT_SECONDS = 60


def fetch_object(
    client: Any,
    uri: str,
    path: Path,
    *,
    sha256: str | None = None,
    attempts: int = 5,
    wait: Callable[[float], object] = time.sleep,
) -> Path:
    """Bring an object to `path`, which is there whole and verified or is as it was before.

    What has come when a try breaks off stays in `<path>.partial`; the next try, or the next call, goes on from there if
    the object is still the same. It is compared with its checksum, as `launch.shipping.s3_objects.checksum_fault` says.

    Args:
        client: for S3.
        uri: s3://BUCKET/KEY.
        path: the file to be written; its folder is made.
        sha256: hexadecimal, where known.
        attempts: how many tries in a row may bring nothing new before it is given up.
        wait: called with the seconds to wait before the next try.

    Raises:
        CloudError: the object could not be fetched or written, or is not the one expected.
        ConfigError: the URI names no object.
    """
    bucket, key = split_uri(uri)
    try:
        with locked(path), bucket_errors(bucket):
            _fetch(ObjectReader(client, bucket, key), path, sha256, attempts, wait)
    except OSError as error:
        raise CloudError(
            f"Expected to write {path} from {uri}, got: {error.strerror or error}. What has come is kept: make room, "
            "or make the folder writable, and run again."
        ) from error
    return path


def _fetch(
    source: ObjectReader, path: Path, sha256: str | None, attempts: int, wait: Callable[[float], object]
) -> None:
    partial = PartialFile(path.with_name(path.name + ".partial"), source.uri)
    furthest, failures = partial.offset(), 0
    while fault := _fault_of_try(source, partial, sha256):
        failures = 1 if partial.length() > furthest else failures + 1
        furthest = max(furthest, partial.length())
        if failures >= attempts:
            raise CloudError(
                f"Expected {source.uri} whole, got {fault} ({failures} tries without progress). Run again to go on."
            )
        wait(min(2.0**failures, LONGEST_WAIT_SECONDS))
    with partial.file.open("rb+") as file:
        os.fsync(file.fileno())
    replace_durably(partial.file, path)
    partial.discard()


def _fault_of_try(source: ObjectReader, partial: PartialFile, sha256: str | None) -> str:
    """Say what came where it is not the whole object; empty where it is."""
    try:
        head = source.head()
        _go_on(source, partial, head)
        if why := checksum_fault(partial.file, head, sha256):
            raise DamagedError(why)
    except DamagedError as fault:
        partial.discard()  # or every later try would go on with the damaged bytes
        return str(fault)
    except BrokenOffError as fault:
        return str(fault)
    return ""


def _go_on(source: ObjectReader, partial: PartialFile, head: dict[str, Any]) -> None:
    """Bring what is missing of the object."""
    etag, total = head["ETag"], head["ContentLength"]
    if partial.validator() != etag or partial.length() > total:
        partial.start(etag)
    if partial.length() < total:
        offset, chunks = source.read(partial.length(), head)
        if offset != partial.length():
            partial.start(etag)
        _append(chunks, partial, total)
    if partial.length() != total:
        raise BrokenOffError(f"{partial.length()} of {total} bytes")


def _append(chunks: Iterable[bytes], partial: PartialFile, total: int) -> None:
    came, name = partial.length(), partial.file.name.removesuffix(".partial")
    bar = tqdm(desc=name, total=total, initial=came, unit="B", unit_scale=True, disable=None)
    with bar, partial.file.open("ab") as file:
        for chunk in chunks:
            came += len(chunk)
            if came > total:
                raise DamagedError("more bytes than the object has")
            file.write(chunk)
            bar.update(len(chunk))
