"""Where the model of a deployment comes from: a folder here, an archive in S3, or a training job that made one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dogbreed.errors import CloudError, ConfigError
from launch.accounts.cloud_errors import cloud_errors, is_missing
from launch.endpoints.archive_check import checked_archive
from launch.endpoints.model_archive import ModelArchive, model_archive

JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
ARCHIVE = "model.tar.gz"
# Of what lies beside a model that is not there.
LISTED = 5


@dataclass(frozen=True)
class ModelSource:
    """A model to deploy.

    Attributes:
        uri: of its archive in S3.
        card: its JSON; None where nobody has looked.
        archive: to upload; None where it is in S3.
        version: of an archive that may be overwritten under its name, S3's ETag; empty where the name tells.
    """

    uri: str
    card: Mapping[str, Any] | None = None
    archive: ModelArchive | None = None
    version: str = ""


def local_source(folder: Path, root: str) -> ModelSource:
    """The model of a folder, its place in S3 a hash of its content.

    Raises:
        ArtifactError: there is no model, or a damaged one.
    """
    archive = model_archive(folder)
    return ModelSource(f"{root}/models/{archive.sha256}/{ARCHIVE}", archive.card, archive)


def presumed_source(model: str, root: str) -> ModelSource:
    """As `model_source`, without asking anyone: a job's archive is presumed to be where our jobs leave it.

    Raises:
        ConfigError: it is none of the three.
        ArtifactError: the folder holds no model.
    """
    if folder := _folder(model):
        return local_source(folder, root)
    return ModelSource(model if _is_uri(model) else f"{root}/output/{_job(model)}/output/{ARCHIVE}")


def model_source(sagemaker: Any, s3: Any, model: str, root: str, server: str) -> ModelSource:
    """The model, after it was looked through: nothing is made for one that could not be loaded.

    Args:
        sagemaker: client.
        s3: client.
        model: a folder, the s3:// of a model.tar.gz, or the name of a training job.
        root: of the project in S3.
        server: of the endpoint.

    Raises:
        ConfigError: it is none of the three.
        CloudError: the job has not completed, or nothing is there in S3.
        ArtifactError: the model is damaged, or lacks what serves it.
    """
    if folder := _folder(model):
        return local_source(folder, root)
    uri = model if _is_uri(model) else _artifact_of(sagemaker, _job(model))
    card, etag = _looked_through(s3, uri, server)
    # Nobody writes a job's archive anew.
    return ModelSource(uri, card, version=etag if _is_uri(model) else "")


def _folder(model: str) -> Path | None:
    folder = Path(model).expanduser()
    # A name without a slash is a job's, unless there is such a folder.
    return folder if folder.is_dir() or (not _is_uri(model) and ("/" in model or model.startswith("~"))) else None


def _is_uri(model: str) -> bool:
    return model.startswith("s3://")


def _job(model: str) -> str:
    if not JOB_NAME.fullmatch(model):
        raise ConfigError(
            f"Expected model to be a folder, the s3:// of a model.tar.gz or a training job's name, got {model!r}."
        )
    return model


def _artifact_of(sagemaker: Any, job: str) -> str:
    from botocore.exceptions import ClientError

    with cloud_errors():
        try:
            found = sagemaker.describe_training_job(TrainingJobName=job)
        except ClientError as error:
            if is_missing(error):
                raise CloudError(f"Found neither a folder nor a training job in this region called {job!r}.") from error
            raise
    status = found["TrainingJobStatus"]
    if status != "Completed":
        reason = f": {found['FailureReason']}" if found.get("FailureReason") else ""
        raise CloudError(
            f"Expected the training job {job} to be Completed, it is {status}{reason}. To follow it: "
            f"python launch/sagemaker.py attach={job}"
        )
    return str(found["ModelArtifacts"]["S3ModelArtifacts"])


def _looked_through(s3: Any, uri: str, server: str) -> tuple[dict[str, Any], str]:
    """The card of an archive, and S3's ETag of what was looked through."""
    from botocore.exceptions import ClientError

    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or not key.endswith(".tar.gz"):
        raise ConfigError(f"Expected model to end in /{ARCHIVE} if it is in S3, got {uri}.")
    with cloud_errors():
        try:
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if is_missing(error):
                raise CloudError(f"There is nothing at {uri}. {_instead(s3, bucket, key)}") from error
            raise
        found = s3.get_object(Bucket=bucket, Key=key)
        return checked_archive(found["Body"], uri, server), str(found["ETag"])


def _instead(s3: Any, bucket: str, key: str) -> str:
    """What is there instead, in the nearest folder that has something."""
    from botocore.exceptions import ClientError

    folder = key
    while folder:
        folder = folder.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        try:
            found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=LISTED).get("Contents", [])
        # Whoever may read our prefix need not be allowed to look above it.
        except ClientError:
            return "Nothing is near it."
        if found:
            return f"Below s3://{bucket}/{prefix} there is instead: {', '.join(one['Key'] for one in found)}."
    return f"The bucket {bucket} is empty."
