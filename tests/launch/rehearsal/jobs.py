"""Requests and archives for rehearsals: of the project itself, and of scripts of a few lines."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dogbreed.tuning.space import Choice, LogUniform
from launch.requests.job_settings import JobSettings
from launch.requests.request import Request
from launch.requests.training import training_definition, training_job
from launch.requests.tuning import tuning_job
from launch.shipping.source import source_archive

# A run of seconds: a small network on few photos, and nothing after the training that takes long.
QUICK = (
    "data=folder",
    "model.backbone=shufflenet_v2_x0_5",
    "model.weights=null",
    "model.image_size=32",
    "data.batch_size=8",
    "data.num_workers=0",
    "trainer.accelerator=cpu",
    "report=false",
    "evaluation.mirror=false",
    "evaluation.duplicates=false",
)
PLACES: dict[str, Any] = {
    "image": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch:2.13-cpu-amzn2023-sagemaker",
    "role": "arn:aws:iam::123456789012:role/dogbreed",
    "region": "us-east-1",
    "source_uri": "s3://bucket/dogbreed/source/source.tar.gz",
    "output_uri": "s3://bucket/dogbreed/output",
    "checkpoint_uri": "s3://bucket/dogbreed/checkpoints/run",
}
SPLITS = ("train", "valid", "test")


def channels_of(photos: Path, splits: Sequence[str] = SPLITS) -> dict[str, Path]:
    return {split: photos / split for split in splits}


def training_parameters(
    settings: JobSettings | None = None,
    *,
    name: str = "dogbreed-0123456789ab",
    splits: Sequence[str] = SPLITS,
    **places: Any,
) -> dict[str, Any]:
    channels = {split: f"s3://bucket/dogbreed/photos/{split}/" for split in splits}
    return training_job(
        name, settings or JobSettings(instance_type="ml.m5.xlarge"), channels=channels, **PLACES | places
    )


def training_request(settings: JobSettings | None = None, **others: Any) -> Request:
    return Request("CreateTrainingJob", training_parameters(settings, **others))


def tuning_request(*, splits: Sequence[str] = ("train", "valid"), max_jobs: int = 3, **places: Any) -> Request:
    channels = {split: f"s3://bucket/dogbreed/photos/{split}/" for split in splits}
    definition = training_definition(JobSettings(instance_type="ml.m5.xlarge"), channels=channels, **PLACES | places)
    space = {"model.learning_rate": LogUniform(1e-4, 1e-2), "data.batch_size": Choice([4, 8])}
    parameters = tuning_job("dogbreed-abcdefabcdef", space, training_job=definition, max_jobs=max_jobs)
    return Request("CreateHyperParameterTuningJob", parameters)


def project_archive(*overrides: str, trial: bool = False) -> bytes:
    """The project's source; its requirements are what runs here anyway."""
    return source_archive({"overrides": [*QUICK, *overrides], "trial": trial}, [])


def script_archive(script: str, files: Mapping[str, str] | None = None) -> bytes:
    """An archive whose program is a script."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in {
            "container_entry.py": script,
            "run.json": json.dumps({"overrides": []}),
            **(files or {}),
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()
