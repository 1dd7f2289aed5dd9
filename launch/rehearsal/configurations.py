"""The files of `input/config`: what SageMaker tells a container of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.rehearsal.hosts import LOOPBACK, Host

# Where all this lies in a container.
CONTAINER_BASE = "/opt/ml"
SUBMIT_DIRECTORY = "sagemaker_submit_directory"
GROUP = "homogeneousCluster"
# Written where the request has the member, with what SageMaker fills in.
CONFIGURATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "DebugHookConfig": ("debughookconfig.json", {"LocalPath": f"{CONTAINER_BASE}/output/tensors"}),
    "ProfilerConfig": ("profilerconfig.json", {}),
    "TensorBoardOutputConfig": (
        "tensorboardoutputconfig.json",
        {"LocalPath": f"{CONTAINER_BASE}/output/tensorboard"},
    ),
    "CheckpointConfig": ("checkpointconfig.json", {"LocalPath": f"{CONTAINER_BASE}/checkpoints"}),
}


def configurations(job: Mapping[str, Any], host: Host, names: Sequence[str], archive: Path) -> dict[str, Any]:
    """The files of `input/config`, by name."""
    given = {
        file: _below(host.base, filled | job[member])
        for member, (file, filled) in CONFIGURATIONS.items()
        if member in job
    }
    return {
        "hyperparameters.json": job["HyperParameters"] | {SUBMIT_DIRECTORY: json.dumps(str(archive))},
        "resourceconfig.json": _resources(job, host.name, names),
        "inputdataconfig.json": {channel["ChannelName"]: _channel(job, channel) for channel in channels_of(job)},
        **given,
    }


def instance_type(job: Mapping[str, Any]) -> str:
    """What a job asks for, or would like best."""
    resources = job["ResourceConfig"]
    kind: str = resources.get("InstanceType") or resources["InstancePreferences"][0]["InstanceType"]
    return kind


def channels_of(job: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The channels of a job."""
    found: Sequence[Mapping[str, Any]] = job.get("InputDataConfig", [])
    return found


def _channel(job: Mapping[str, Any], channel: Mapping[str, Any]) -> dict[str, str]:
    source = channel["DataSource"]["S3DataSource"]
    texts = {
        "ContentType": channel.get("ContentType"),
        "TrainingInputMode": channel.get("InputMode") or job["AlgorithmSpecification"]["TrainingInputMode"],
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    return {name: text for name, text in texts.items() if text is not None}


def _resources(job: Mapping[str, Any], current: str, names: Sequence[str]) -> dict[str, Any]:
    kind = instance_type(job)
    return {
        "current_host": current,
        "current_instance_type": kind,
        "current_group_name": GROUP,
        "hosts": list(names),
        "instance_groups": [{"instance_group_name": GROUP, "instance_type": kind, "hosts": list(names)}],
        "network_interface_name": "eth0" if len(names) == 1 else LOOPBACK,
    }


def _below(base: Path, value: Any) -> Any:
    """With the folders of a container moved to where they are here."""
    if isinstance(value, str):
        return value.replace(CONTAINER_BASE, str(base), 1) if value.startswith(CONTAINER_BASE) else value
    if isinstance(value, Mapping):
        return {key: _below(base, item) for key, item in value.items()}
    return value
