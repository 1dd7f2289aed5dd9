"""Which photos a folder has, by their content: what is uploaded, and what is there when all of it is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dogbreed.caching.layout import cache_folder
from dogbreed.data.folder import list_folder
from dogbreed.data.member_names import name_fault
from dogbreed.errors import DataError
from launch.shipping.hash_cache import HashCache, Stamp, hash_cache


@dataclass(frozen=True)
class Manifest:
    """The files of a folder.

    Args:
        files: SHA-256 in hexadecimal and size in bytes, by path from the folder with slashes.
    """

    files: Mapping[str, tuple[str, int]]

    @cached_property
    def sha256(self) -> str:
        """Of the paths and their contents, in hexadecimal: another for another version of the folder."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def folder(self, root: str) -> str:
        """Where below `root` in S3 the files of this version are, with a slash at its end."""
        return f"{root}/photos/{self.sha256[:16]}/"

    @property
    def total_bytes(self) -> int:
        """Of all files."""
        return sum(size for _, size in self.files.values())

    def as_json(self) -> dict[str, Any]:
        """As JSON can write it."""
        return {"files": {path: list(file) for path, file in self.files.items()}}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Manifest:
        """From what `as_json` gave.

        Raises:
            ValueError: from something else.
        """
        try:
            rows = {str(path): (str(sha256), int(size)) for path, (sha256, size) in content["files"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("no manifest") from error
        return cls(rows)


def folder_manifest(root: Path, *, cache_dir: Path | None = None, progress: bool = True) -> Manifest:
    """The photos of a folder that a run would see: those in class folders, hidden ones left out.

    Args:
        root: a folder of split folders, or of class folders.
        cache_dir: where hashes are remembered; None for dogbreed's usual one. A file of the same size, time and number
            on disk is not read again.
        progress: whether a terminal shows a bar.

    Raises:
        DataError: no photos, a photo that cannot be read or whose name S3 cannot hold, one that changes meanwhile.
    """
    photos = _photos(root)
    cache = hash_cache(root, cache_folder(str(cache_dir or "")))
    total = sum(_size(path) for path in photos.values())
    with (
        tqdm(total=total, desc="Reading", unit="B", unit_scale=True, disable=None if progress else True) as bar,
        ThreadPoolExecutor() as pool,
    ):
        try:
            files = {}
            for name, found in zip(photos, pool.map(lambda path: _hashed(path, cache), photos.values()), strict=True):
                files[name] = found
                bar.update(found[1])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            cache.save()
    return Manifest(files)


def _photos(root: Path) -> dict[str, Path]:
    try:
        photos = dict(sorted(_named(root)))
    except OSError as error:
        raise DataError(f"Expected to read {error.filename or root}, but: {error.strerror}.") from error
    if not photos:
        raise DataError(f"Expected photos in class folders in {root}, found none. Check data.root.")
    return photos


def _named(root: Path) -> Iterator[tuple[str, Path]]:
    for _, _, path in list_folder(root).rows():
        name = path.relative_to(root).as_posix()
        if (why := name_fault(name)) is not None:
            raise DataError(f"Expected photos that S3 can hold in {root}, found {name!a}, {why}. Rename it.")
        yield name, path


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _hashed(path: Path, cache: HashCache) -> tuple[str, int]:
    """The SHA-256 and the size of one file, which must be the same before and after."""
    try:
        before = Stamp.of(path.stat())
        if (sha256 := cache.known(path, before)) is None:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                after = Stamp.of(os.fstat(file.fileno()))
            if before != after:
                raise DataError(f"Expected {str(path)!a} to stay as it is, but it was changed meanwhile. Run again.")
            cache.remember(path, before, sha256)
    except OSError as error:
        raise DataError(f"Expected to read {str(path)!a}, but: {error.strerror}. Mend or remove it.") from error
    return sha256, before.size
