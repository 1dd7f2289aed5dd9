"""What a training job has left in S3, fetched to the layout of a run on this machine: all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dogbreed.artifact_card import JSON_FILE, WEIGHTS_FILE, other_weights, read_card, weights_sha256
from dogbreed.atomic import replace_durably, write_text
from dogbreed.data.whole_folder import check_unused
from dogbreed.errors import ArtifactError, CloudError
from launch.accounts.account import Account
from launch.accounts.cloud_errors import cloud_errors, is_missing
from launch.jobs.job_kinds import KINDS, MOST_ATTEMPTS
from launch.shipping.fetching import fetch_object
from launch.shipping.unpacking import unpack_tar

MODEL, JOB_FILE = "model", "job.json"
# What a job of ours leaves is far below; an archive that claims more is none.
MAX_FILES, MAX_BYTES = 50_000, 64 * 2**30


@dataclass(frozen=True)
class Fetched:
    """What is here now.

    Attributes:
        folder: as a run leaves it: report.html, metrics.json, model/ and so on.
        card: the model's JSON.
    """

    folder: Path
    card: Mapping[str, Any]


def fetch_outputs(
    account: Account, name: str, folder: Path, *, show: Callable[[str], None] = lambda _: None
) -> Fetched:
    """Model and output of a training job, checked before they get the folder's name.

    An interrupted fetch goes on where it was when it is asked for again. A folder that holds the job's output already
    is left as it is.

    Args:
        account: of the job.
        name: of the training job.
        folder: that a run would leave; must not exist, or be empty, or hold this job's output.
        show: takes a line.

    Raises:
        CloudError: there is no such job, or it has left no model.
        ArtifactError: the model is damaged; nothing is at the folder then.
        DataError: an archive that cannot be unpacked, or a folder in use.
    """
    if is_of(folder, name):
        return Fetched(folder, checked_model(folder / MODEL))
    check_unused(folder)
    description = KINDS["training"].described(account.client("sagemaker"), name)
    if description is None:
        raise CloudError(f"There is no training job {name} in {account.region}.")
    staging = folder.with_name(f".{folder.name}.{name}.fetching")
    run = _unpacked_run(account, description, staging, show)
    card = checked_model(run / MODEL)
    write_text(run / JOB_FILE, json.dumps({"job": name, "arn": description["TrainingJobArn"]}, indent=2))
    replace_durably(run, folder)
    shutil.rmtree(staging, ignore_errors=True)
    show(f"fetched to {folder}: the model and its report")
    return Fetched(folder, card)


def _unpacked_run(account: Account, description: Mapping[str, Any], staging: Path, show: Callable[[str], None]) -> Path:
    """The folder of the run within the one beside its place, where archives stay until all is well."""
    s3, model, output = account.client("s3"), model_uri(description), output_uri(description)
    if not _is_there(account, s3, model):
        name = description["TrainingJobName"]
        raise CloudError(
            f"The training job {name} ended without a model: there is nothing at {model}. Its log says why."
        )
    run = staging / "run"
    shutil.rmtree(run, ignore_errors=True)
    staging.mkdir(parents=True, exist_ok=True)
    if _is_there(account, s3, output):
        _unpacked(s3, output, staging, run)
    else:
        show(f"The job has left no report: there is nothing at {output}.")
    _unpacked(s3, model, staging, run / MODEL)
    return run


def check_destination(folder: Path, name: str) -> None:
    """Whether a job's output can come to a folder: told before the job is paid for.

    Args:
        folder: that a run would leave.
        name: of the job, or of its first attempt.

    Raises:
        DataError: something else is there.
    """
    attempts = (f"{name}-{number}" for number in range(2, MOST_ATTEMPTS + 1))
    if not any(is_of(folder, attempt) for attempt in (name, *attempts)):
        check_unused(folder)


def is_of(folder: Path, name: str) -> bool:
    """Whether a folder holds a job's output."""
    try:
        found = json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("job") == name


def model_uri(description: Mapping[str, Any]) -> str:
    """Of the model.tar.gz.

    Raises:
        CloudError: the job has not come so far.
    """
    uri = (description.get("ModelArtifacts") or {}).get("S3ModelArtifacts")
    if not uri:
        raise CloudError(
            f"The training job {description['TrainingJobName']} has left no model: it is "
            f"{description['TrainingJobStatus']}."
        )
    return str(uri)


def output_uri(description: Mapping[str, Any]) -> str:
    """Of the output.tar.gz, which SageMaker puts beside the model.

    >>> output_uri({"OutputDataConfig": {"S3OutputPath": "s3://b/out/"}, "TrainingJobName": "dogs"})
    's3://b/out/dogs/output/output.tar.gz'
    """
    root = description["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    return f"{root}/{description['TrainingJobName']}/output/output.tar.gz"


def checked_model(folder: Path) -> Mapping[str, Any]:
    """The JSON of a model whose files are those that it describes, without building it.

    Raises:
        ArtifactError: a file is missing or damaged.
    """
    try:
        card = read_card((folder / JSON_FILE).read_bytes(), folder)
        with (folder / WEIGHTS_FILE).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactError(f"Expected a model in {folder}, but {error.filename}: {error.strerror}.") from error
    if found != weights_sha256(card):
        raise other_weights(folder)
    return card


def _unpacked(s3: Any, uri: str, staging: Path, folder: Path) -> None:
    archive = staging / uri.rpartition("/")[2]
    fetch_object(s3, uri, archive)
    unpack_tar(archive, folder, max_files=MAX_FILES, max_bytes=MAX_BYTES)


def _is_there(account: Account, s3: Any, uri: str) -> bool:
    from botocore.exceptions import ClientError

    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with cloud_errors():
        try:
            s3.head_object(Bucket=bucket, Key=key, ExpectedBucketOwner=account.account_id)
        except ClientError as error:
            if is_missing(error):
                return False
            raise
    return True
