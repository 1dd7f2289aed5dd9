"""What a command is about to do: the requests, what goes up before them, what it may cost. Nothing has been sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launch.requests.request import Request
from launch.shipping.manifest import Manifest


@dataclass(frozen=True)
class Photos:
    """A folder of photos on this machine, and where it goes.

    Attributes:
        root: the folder.
        manifest: of its files.
        uri: of the folder's place in S3.
    """

    root: Path
    manifest: Manifest
    uri: str


@dataclass(frozen=True)
class WeightsFile:
    """A state dict on this machine, and the place in S3 of the folder that will hold it alone."""

    path: Path
    sha256: str
    uri: str


@dataclass(frozen=True)
class Plan:
    """A job that is to be sent.

    Attributes:
        request: that creates it.
        kind: training or tuning.
        archive: the source.
        source_uri: of the archive.
        photos: to upload; None where the container finds them by itself or they are in S3.
        weights: to upload.
        folders: of the channels on this machine, for a rehearsal.
    """

    request: Request
    kind: str
    archive: bytes
    source_uri: str
    photos: Photos | None = None
    weights: WeightsFile | None = None
    folders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the job."""
        return str(self.request.parameters[NAMES[self.kind]])


NAMES = {"training": "TrainingJobName", "tuning": "HyperParameterTuningJobName"}
