"""One version of a folder on its way to S3: what is missing there, and bringing it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dogbreed.errors import CloudError, DataError
from launch.shipping import s3_objects
from launch.shipping.manifest import Manifest
from launch.shipping.parallel import each_file


@dataclass(frozen=True)
class FolderUpload:
    """The files of `root` as the manifest has them, to be at `folder` + path in the bucket."""

    client: Any
    root: Path
    manifest: Manifest
    bucket: str
    folder: str
    workers: int

    @cached_property
    def sizes(self) -> dict[str, int]:
        """In bytes, by path."""
        return {name: size for name, (_, size) in self.manifest.files.items()}

    def missing(self, *, trusted: bool) -> list[str]:
        """The files that are not there with their content.

        Args:
            trusted: the size is enough; otherwise S3 is asked for each file's checksum.
        """
        found = self._found()
        there = [name for name, size in self.sizes.items() if found.get(name) == size]
        same = dict.fromkeys(there, True) if trusted else self._each(self._is_same, there, "Checking")
        return [name for name in self.sizes if not same.get(name)]

    def bring(self, names: Sequence[str], elsewhere: Mapping[str, str]) -> None:
        """Copy or upload files.

        Args:
            names: of the files.
            elsewhere: the keys of what S3 has already, by SHA-256.

        Raises:
            DataError: a file that is no longer as the manifest has it.
        """
        self._each(lambda name: self._bring(name, elsewhere), names, "Uploading")

    def verify(self) -> None:
        """Look at what is there.

        Raises:
            CloudError: other files than the manifest's, or of another size.
        """
        if (found := self._found()) != self.sizes:
            name = min(name for name in self.sizes.keys() | found.keys() if self.sizes.get(name) != found.get(name))
            uri = f"s3://{self.bucket}/{self.folder}{name}"
            raise CloudError(
                f"Expected {_bytes(self.sizes.get(name))} at {uri}, found {_bytes(found.get(name))}: remove what is "
                f"there, `aws s3 rm '{uri}'`, and run again."
            )

    def _bring(self, name: str, elsewhere: Mapping[str, str]) -> None:
        sha256, _ = self.manifest.files[name]
        place = {"bucket": self.bucket, "key": self.folder + name, "sha256": sha256}
        if sha256 in elsewhere and s3_objects.copy(self.client, source=elsewhere[sha256], **place):
            return
        s3_objects.put(self.client, self._unchanged(name, sha256), **place)

    def _is_same(self, name: str) -> bool:
        sha256, size = self.manifest.files[name]
        return s3_objects.is_stored(self.client, bucket=self.bucket, key=self.folder + name, sha256=sha256, size=size)

    def _unchanged(self, name: str, sha256: str) -> bytes:
        try:
            content = (self.root / name).read_bytes()
        except OSError as error:
            raise DataError(f"Expected to upload {name!a} in {self.root}, but: {error.strerror}. Run again.") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DataError(f"Expected {name!a} in {self.root} to stay as it is, but it was changed. Run again.")
        return content

    def _found(self) -> dict[str, int]:
        found = s3_objects.listing(self.client, bucket=self.bucket, prefix=self.folder)
        return {key.removeprefix(self.folder): about["Size"] for key, about in found.items()}

    def _each(self, action: Any, names: Sequence[str], what: str) -> dict[str, Any]:
        return each_file(action, names, sizes=self.sizes, workers=self.workers, what=what)


def _bytes(size: int | None) -> str:
    return "nothing" if size is None else f"{size:,} bytes"
