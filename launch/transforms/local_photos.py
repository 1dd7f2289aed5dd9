"""The photos of a folder here, each looked at before it is sent: one that is refused would fail the whole job."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dogbreed.data.folder import photo_files
from dogbreed.data.member_names import name_fault
from dogbreed.data.photos import PhotoError, decode, read
from dogbreed.errors import DataError
from launch.requests.transform_settings import MEGABYTE
from launch.shipping.manifest import Manifest
from launch.transforms.photo_place import PhotoPlace

# A photo is decoded no further than is needed to see that it is whole.
SMALLEST_SIDE = 64


def local_photos(root: Path, most_bytes: int, *, place: str) -> PhotoPlace:
    """The photos below a folder; those that could not be answered are not sent, and it is said why.

    Args:
        root: the folder.
        most_bytes: of a photo.
        place: prefix in S3, without a slash at its end, below which folders of photos are.

    Raises:
        DataError: there is no such folder, or no photo in it that can be read.
    """
    if not root.is_dir():
        raise DataError(f"Expected photos to be a folder, or s3://BUCKET/PREFIX, found no folder at {root}.")
    paths = list(photo_files(root))
    with ThreadPoolExecutor() as pool, tqdm(total=len(paths), desc="Reading", unit=" photos", disable=None) as bar:
        looked = dict(zip(paths, pool.map(lambda path: _looked(root, path, most_bytes, bar), paths), strict=True))
    faults: dict[Path | str, str] = {path: found for path, found in looked.items() if isinstance(found, str)}
    files = {_name(root, path): found for path, found in looked.items() if not isinstance(found, str)}
    if not files:
        raise DataError(f"Expected photos below {root}, found {len(faults):,}, of which none can be read.")
    manifest = Manifest(dict(sorted(files.items())))
    names: dict[Path | str, str] = {path: _name(root, path) for path in paths}
    return PhotoPlace(manifest.folder(place), names, faults, manifest, root)


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _looked(root: Path, path: Path, most_bytes: int, bar: Any) -> tuple[str, int] | str:
    """SHA-256 and size of a photo, or what is wrong with it."""
    bar.update()
    if (why := name_fault(_name(root, path))) is not None:
        return f"{str(path)!a} is a photo {why}: S3 cannot hold it."
    try:
        content = read(path)
        decode(content, smallest_side=SMALLEST_SIDE)
    except PhotoError as error:
        return f"{path} {error}"
    if len(content) > most_bytes:
        return f"{path} is larger than transform.max_payload_mb={most_bytes // MEGABYTE}."
    return hashlib.sha256(content).hexdigest(), len(content)
