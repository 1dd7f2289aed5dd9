from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dogbreed.artifacts import load_artifact
from dogbreed.errors import ArtifactError, CloudError, DataError
from launch.accounts.account import Account
from launch.jobs import outputs
from launch.jobs.job_kinds import JobKind
from launch.jobs.outputs import check_destination, fetch_outputs
from tests.launch.scripted_aws import ACCOUNT_ID, BUCKET, REGION, ROLE, leave_aws_alone, use_moto
from tests.trained_models import save_small

NAME = "dogbreed-0123456789ab"
PLACE = f"dogbreed/output/{NAME}/output"
REPORT = {"report.html": b"<html>", "metrics.json": b"{}", "debugging/rules.json": b"[]"}


def tar_gz(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("trained") / "model"
    save_small(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return {**files, "code/inference.py": b"# serves"}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Account]:
    leave_aws_alone(monkeypatch, tmp_path)
    use_moto(monkeypatch)
    monkeypatch.setattr(JobKind, "described", lambda *_: described())
    with mock_aws():
        session = boto3.Session(region_name=REGION)
        session.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield Account(session, REGION, ACCOUNT_ID, ROLE, BUCKET)


def described() -> dict[str, Any]:
    return {
        "TrainingJobName": NAME,
        "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:training-job/{NAME}",
        "TrainingJobStatus": "Completed",
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://{BUCKET}/{PLACE}/model.tar.gz"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/dogbreed/output/"},
    }


def put(account: Account, **archives: dict[str, bytes]) -> None:
    for name, files in archives.items():
        account.client("s3").put_object(Bucket=BUCKET, Key=f"{PLACE}/{name}.tar.gz", Body=tar_gz(files))


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_output_has_the_layout_of_a_run_here(account: Account, model: dict[str, bytes], tmp_path: Path) -> None:
    put(account, model=model, output=REPORT)
    fetched = fetch_outputs(account, NAME, tmp_path / "run")
    assert files_of(tmp_path / "run") == {*REPORT, *(f"model/{name}" for name in model), "job.json"}
    assert load_artifact(tmp_path / "run" / "model").card == fetched.card
    assert files_of(tmp_path) == {f"run/{name}" for name in files_of(tmp_path / "run")}


def test_what_is_here_is_not_fetched_again(
    account: Account, model: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(account, model=model, output=REPORT)
    first = fetch_outputs(account, NAME, tmp_path / "run")
    monkeypatch.setattr(outputs, "fetch_object", None)
    assert fetch_outputs(account, NAME, tmp_path / "run") == first


def test_a_job_without_a_model_is_one_line_and_nothing_is_left(account: Account, tmp_path: Path) -> None:
    put(account, output=REPORT)
    with pytest.raises(CloudError, match=rf"ended without a model: there is nothing at s3://{BUCKET}/.*model.tar.gz"):
        fetch_outputs(account, NAME, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_has_not_come_to_a_model_is_told(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = {**described(), "TrainingJobStatus": "InProgress", "ModelArtifacts": {}}
    monkeypatch.setattr(JobKind, "described", lambda *_: running)
    with pytest.raises(CloudError, match="has left no model: it is InProgress"):
        fetch_outputs(account, NAME, tmp_path / "run")
    monkeypatch.setattr(JobKind, "described", lambda *_: None)
    with pytest.raises(CloudError, match="no training job"):
        fetch_outputs(account, NAME, tmp_path / "run")


def test_a_missing_report_is_said_and_the_model_fetched_all_the_same(
    account: Account, model: dict[str, bytes], tmp_path: Path
) -> None:
    put(account, model=model)
    said: list[str] = []
    fetch_outputs(account, NAME, tmp_path / "run", show=said.append)
    assert files_of(tmp_path / "run") == {*(f"model/{name}" for name in model), "job.json"}
    assert "has left no report" in said[0]


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_damaged_or_incomplete_model_never_gets_the_folders_name(
    account: Account, model: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    content = model[name]
    put(account, model={**model, name: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]}, output=REPORT)
    with pytest.raises(ArtifactError):
        fetch_outputs(account, NAME, tmp_path / "run")
    put(account, model={key: value for key, value in model.items() if key != name})
    with pytest.raises(ArtifactError, match=f"{name}: No such file"):
        fetch_outputs(account, NAME, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    put(account, model=model)
    fetch_outputs(account, NAME, tmp_path / "run")
    assert load_artifact(tmp_path / "run" / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_archive_that_leaves_its_folder_is_refused(
    account: Account, model: dict[str, bytes], tmp_path: Path
) -> None:
    put(account, model={**model, "../../escaped": b""}, output=REPORT)
    with pytest.raises(DataError, match="escaped"):
        fetch_outputs(account, NAME, tmp_path / "run")
    assert not (tmp_path / "run").exists() and not list(tmp_path.rglob("escaped"))


def test_a_folder_in_use_is_told_before_there_is_a_job(
    account: Account, model: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    check_destination(folder, "dogs")
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(DataError):
        check_destination(folder, "dogs")
    (folder / "job.json").write_text(json.dumps({"job": "dogs-2"}))
    # The same job's second attempt came there.
    check_destination(folder, "dogs")
    with pytest.raises(DataError):
        check_destination(folder, "cats")


def test_a_folder_in_use_is_left_as_it_is(account: Account, model: dict[str, bytes], tmp_path: Path) -> None:
    put(account, model=model, output=REPORT)
    (tmp_path / "run").mkdir()
    fetch_outputs(account, NAME, tmp_path / "run")
    with pytest.raises(DataError, match="Expected nothing at"):
        fetch_outputs(account, f"{NAME}-2", tmp_path / "run")
    assert outputs.is_of(tmp_path / "run", NAME)
