"""The manifests in a bucket: which versions of folders are there completely."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from launch.shipping import s3_objects
from launch.shipping.manifest import Manifest

# A manifest of 100,000 photos has about 15 MB.
MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class StoredManifests:
    """Below `prefix`: `photos/<hash>/` has the files of a folder, `manifests/<hash>.json` comes when all are there."""

    client: Any
    bucket: str
    prefix: str

    def folder(self, manifest: Manifest) -> str:
        """The beginning of its files' keys."""
        return manifest.folder(self.prefix)

    def key(self, manifest: Manifest) -> str:
        """Where the manifest is."""
        return f"{self.prefix}/manifests/{manifest.sha256[:16]}.json"

    def is_complete(self, manifest: Manifest) -> bool:
        """Whether an upload of this version was finished."""
        place = {"bucket": self.bucket, "key": self.key(manifest), "sha256": _sha256(manifest)}
        return s3_objects.is_stored(self.client, **place, size=len(_content(manifest)))

    def complete(self, manifest: Manifest) -> None:
        """Say that all files of this version are there."""
        place = {"bucket": self.bucket, "key": self.key(manifest), "sha256": _sha256(manifest)}
        s3_objects.put(self.client, _content(manifest), **place)

    def newest_other(self, manifest: Manifest) -> dict[str, str]:
        """The keys of the files of the version that was finished last, by their SHA-256."""
        found = s3_objects.listing(self.client, bucket=self.bucket, prefix=f"{self.prefix}/manifests/")
        fitting = [f for key, f in found.items() if key != self.key(manifest) and f["Size"] <= MAX_BYTES]
        if not fitting:
            return {}
        newest = max(fitting, key=lambda one: one["LastModified"])["Key"]
        try:
            earlier = Manifest.from_json(json.loads(self._read(newest)))
        except ValueError:
            # It saves work, nothing hangs on it.
            return {}
        return {sha256: f"{self.folder(earlier)}{path}" for path, (sha256, _) in earlier.files.items()}

    def _read(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content


def _content(manifest: Manifest) -> bytes:
    return json.dumps(manifest.as_json(), sort_keys=True).encode()


def _sha256(manifest: Manifest) -> str:
    return hashlib.sha256(_content(manifest)).hexdigest()
