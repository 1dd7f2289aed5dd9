"""Which photos a batch transform is about, and where in S3 they are or will be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launch.shipping.manifest import Manifest


@dataclass(frozen=True)
class PhotoPlace:
    """Where photos are, and which.

    Attributes:
        uri: prefix in S3 with a slash at its end, or of a manifest.
        names: of each photo's object below the prefix, by how the photo is called here, in order.
        faults: why a photo is not sent, by how it is called here.
        manifest: of the folder to upload; None for photos that are in S3.
        root: of that folder.
        version: of photos that may be overwritten under their names; empty where the place's own name tells.
    """

    uri: str
    names: Mapping[Path | str, str]
    faults: Mapping[Path | str, str] = field(default_factory=dict)
    manifest: Manifest | None = None
    root: Path = Path()
    version: str = ""
