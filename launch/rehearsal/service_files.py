"""The files that SageMaker lays before a container: of the very request that would be sent.

What a container finds below `/opt/ml`, from the source of SageMaker's training toolkit and AWS's page "How Amazon
SageMaker AI Provides Training Information".
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dogbreed.errors import ConfigError
from launch.rehearsal.configurations import channels_of, configurations
from launch.rehearsal.hosts import Host, host_names

ARCHIVE = "source.tar.gz"
# A container without network gets its source as a channel.
CODE_CHANNEL = "code"
FOLDERS = ("input/config", "input/data", "model", "output/data", "checkpoints", "code")


def write_service_files(
    job: Mapping[str, Any],
    archive: bytes,
    channels: Mapping[str, Path],
    folder: Path,
    *,
    checkpoints: Path | None = None,
) -> list[Host]:
    """Lay out the hosts of a job: one, or two on this machine for any number of them.

    Args:
        job: parameters of `CreateTrainingJob`.
        archive: of the source; takes the place of the one in S3.
        channels: folders on this machine, by channel.
        folder: gets a folder for each host.
        checkpoints: what an earlier attempt left there, and this one goes on with; None for nothing.

    Raises:
        ConfigError: a channel of the job has no folder on this machine.
    """
    names = host_names(job["ResourceConfig"].get("InstanceCount", 1))
    hosts = [Host(folder / f"host-{number}", name) for number, name in enumerate(names, 1)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARCHIVE).write_bytes(archive)
    for host in hosts:
        _make_folders(host.base, checkpoints)
        _link_channels(job, channels, folder / ARCHIVE, host.base / "input/data")
        for name, content in configurations(job, host, names, folder / ARCHIVE).items():
            (host.base / "input/config" / name).write_text(json.dumps(content))
    return hosts


def _make_folders(base: Path, checkpoints: Path | None) -> None:
    for name in FOLDERS:
        (base / name).mkdir(parents=True, exist_ok=True)
    if checkpoints is not None:
        (base / "checkpoints").rmdir()
        (base / "checkpoints").symlink_to(checkpoints.resolve())


def _link_channels(job: Mapping[str, Any], channels: Mapping[str, Path], archive: Path, data: Path) -> None:
    for name in (channel["ChannelName"] for channel in channels_of(job)):
        if name == CODE_CHANNEL and name not in channels:
            (data / name).mkdir()
            os.link(archive, data / name / ARCHIVE)
        elif name not in channels:
            raise ConfigError(
                f"The job has a channel {name!r} and this machine no folder for it: give data.root=PATH of a folder "
                "here to rehearse with."
            )
        else:
            (data / name).symlink_to(channels[name].resolve())
