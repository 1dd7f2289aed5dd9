"""The photos of a place in S3: below a prefix, or those that a manifest names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dogbreed.data.folder import is_photo
from dogbreed.errors import DataError
from launch.planning.channels import as_folder
from launch.requests.request import canonical_sha256
from launch.requests.transform import MANIFEST
from launch.requests.transform_settings import MEGABYTE
from launch.shipping.s3_objects import bucket_errors, listing, split_uri
from launch.transforms.photo_place import PhotoPlace


def stored_photos(s3: Any, uri: str, most_bytes: int) -> PhotoPlace:
    """The photos below a prefix in S3, or of a manifest there.

    Args:
        s3: client.
        uri: of the prefix or the manifest.
        most_bytes: of a photo.

    Raises:
        DataError: nothing is there, or something that is no photo: one would fail the whole job.
        CloudError: S3 could not be asked.
    """
    if uri.endswith(MANIFEST):
        return _of_manifest(s3, uri, most_bytes)
    return _of_prefix(s3, as_folder(uri), most_bytes)


def _of_prefix(s3: Any, uri: str, most_bytes: int) -> PhotoPlace:
    bucket, prefix, found = _below(s3, uri)
    names = {key: key.removeprefix(prefix) for key in found if not key.endswith("/")}
    for key in names:
        if not is_photo(Path(key)) or found[key]["Size"] > most_bytes:
            raise DataError(
                f"Expected photos of up to {most_bytes // MEGABYTE} MB alone below {uri}, found {key!a} of "
                f"{found[key]['Size']:,} bytes: list the photos in a manifest, photos=s3://…{MANIFEST}, or raise "
                "transform.max_payload_mb."
            )
    if not names:
        raise DataError(f"Expected photos below {uri}, found nothing.")
    version = canonical_sha256({key: found[key]["ETag"] for key in names})
    return PhotoPlace(uri, {f"s3://{bucket}/{key}": name for key, name in names.items()}, version=version)


def _of_manifest(s3: Any, uri: str, most_bytes: int) -> PhotoPlace:
    bucket, key = split_uri(uri)
    with bucket_errors(bucket):
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    prefix, names = _listed(content, uri)
    _, below, found = _below(s3, prefix)
    for name in names:
        if (one := found.get(f"{below}{name}")) is None or one["Size"] > most_bytes:
            raise DataError(
                f"Expected {uri} to name photos that are there, of up to {most_bytes // MEGABYTE} MB each; "
                f"{prefix + name!a} {'is not' if one is None else 'is larger'}: one such photo would fail the job."
            )
    etags = {name: found[f"{below}{name}"]["ETag"] for name in names}
    version = canonical_sha256(etags | {"": hashlib.sha256(content).hexdigest()})
    return PhotoPlace(uri, {f"{prefix}{name}": name for name in names}, version=version)


def _below(s3: Any, uri: str) -> tuple[str, str, dict[str, dict[str, Any]]]:
    """Bucket, prefix, and what S3 says of each object there, by key."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    with bucket_errors(bucket):
        return bucket, prefix, listing(s3, bucket=bucket, prefix=prefix)


def _listed(content: bytes, uri: str) -> tuple[str, Sequence[str]]:
    try:
        first, *names = json.loads(content)
        prefix = first["prefix"]
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f'Expected {uri} to be [{{"prefix": "s3://…/"}}, "1.jpg", …], it is something else.') from error
    if not names or not all(isinstance(name, str) for name in (prefix, *names)):
        raise DataError(f"Expected {uri} to name photos, it names none.")
    return prefix, names


def presumed_place(uri: str) -> PhotoPlace:
    """As `stored_photos`, without asking anyone what is there."""
    return PhotoPlace(uri if uri.endswith(MANIFEST) else as_folder(uri), {})
