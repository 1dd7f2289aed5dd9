"""`python -m launch.transform` against an account that moto plays; the answers are the test's."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws
from moto.sagemaker.models import sagemaker_backends

import launch.transforms.transforming
from dogbreed import composed_command
from dogbreed.command_line import run_command
from dogbreed.errors import CloudError, DataError
from launch import transform as command
from launch.accounts.account import Account
from launch.endpoints.container_environment import environment
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.model_archive import model_archive
from launch.jobs.job_kinds import KINDS
from launch.jobs.sending import next_attempt
from launch.requests.request import Request
from launch.requests.tags import are_ours, tags_by_key
from launch.requests.transform_settings import TransformSettings
from launch.requests.validation import check
from launch.transforms.left_answers import FAULTS, LeftAnswers, of_csv, of_json
from launch.transforms.photo_place import PhotoPlace
from launch.transforms.stored_photos import stored_photos
from launch.transforms.transform_container import container
from tests.data.photo_folders import add_photo, noise
from tests.launch.model_folders import model_folder

REGION, ACCOUNT, BUCKET = "eu-west-1", "123456789012", "dogs-bucket"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/dogs"
WHERE = (f"job.region={REGION}", f"job.role={ROLE}", f"job.bucket={BUCKET}")
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    """One for all tests: to read the API's model takes longer than most of them."""
    return boto3.Session("testing", "testing", region_name=REGION)


@pytest.fixture
def account(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    opened = Account(session, REGION, ACCOUNT, ROLE, BUCKET)
    monkeypatch.setattr(launch.transforms.transforming, "open_account", lambda _: opened)
    with mock_aws():
        place = {"LocationConstraint": REGION}
        session.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        yield opened


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Typed:
    """The command in this process, from a folder of its own with a model in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(composed_command, "keep_freed_memory", lambda: True)
    model_folder(tmp_path / "model")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["transform", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_command(command.command)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number, name in enumerate(("a.png", "b/1.png", "b/2.jpg")):
        add_photo(tmp_path / "photos" / name, noise(50, 40, seed=number))
    return tmp_path / "photos"


Answer = Callable[[str], bytes | None]


def as_json(_: str) -> bytes:
    breeds = [
        {"label": name, "index": i, "probability": p} for i, (name, p) in enumerate((("Löwchen", 0.5), ("A", 0.25)))
    ]
    return json.dumps({"predictions": [breeds], "model_version": "0"}, ensure_ascii=False).encode()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """SageMaker's part, which moto leaves out: an object for each photo, as the last function here makes it."""
    answers, make = [as_json], BaseClient._make_api_call

    def call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        made = make(client, operation, parameters)
        if operation == "CreateTransformJob":
            _answer(parameters, answers[-1])
        return made

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return answers  # type: ignore[return-value]


def _answer(job: dict[str, Any], answer: Answer) -> None:
    s3 = boto3.Session("testing", "testing").client("s3", REGION)
    source = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].split("/", 3)[3]
    output = job["TransformOutput"]["S3OutputPath"].split("/", 3)[3]
    names = [one["Key"].removeprefix(source) for one in s3.list_objects_v2(Bucket=BUCKET, Prefix=source)["Contents"]]
    if source.endswith(".manifest"):
        names = json.loads(s3.get_object(Bucket=BUCKET, Key=source)["Body"].read())[1:]
    for name in names:
        if (content := answer(name)) is not None:
            s3.put_object(Bucket=BUCKET, Key=f"{output}{name}.out", Body=content)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def jobs() -> list[str]:
    return list(sagemaker_backends[ACCOUNT][REGION].transform_jobs)


def test_a_folder_of_photos_becomes_a_table_as_the_local_command_writes_it(
    account: Account, typed: Typed, photos: Path, played: list[Answer], tmp_path: Path
) -> None:
    (photos / "b" / "broken.png").write_bytes(b"")
    status, out, err = typed("model=model", "photos=photos", *WHERE, "yes=true", "top_k=2")
    assert (status, err) == (1, "error: 1 of 4 photos have no answer; the column error says why.\n")
    assert "price    $0.230 an hour, until all photos are answered" in out
    assert "quota    ml.m5.xlarge for transform job usage: 1 at least" in out
    assert "3 files" in out and "1 that cannot be answered stay here" in out
    assert out.endswith("predictions.csv: 4 photos\n")
    found = rows(tmp_path / "predictions.csv")
    assert list(found[0]) == ["file", "label", "probability", "label_2", "probability_2", "error"]
    assert [row["file"] for row in found] == [
        f"photos/{name}" for name in ("a.png", "b/1.png", "b/2.jpg", "b/broken.png")
    ]
    assert [row["label"] for row in found] == ["Löwchen", "Löwchen", "Löwchen", ""]
    assert found[3]["error"] == "photos/b/broken.png is empty."
    (name,) = jobs()
    sagemaker = account.client("sagemaker")
    job = sagemaker.describe_transform_job(TransformJobName=name)
    tags = sagemaker.list_tags(ResourceArn=job["TransformJobArn"])["Tags"]
    assert are_ours(tags_by_key(tags))
    container = sagemaker.describe_model(ModelName=job["ModelName"])["PrimaryContainer"]
    assert container["Environment"]["DOGBREED_MAX_BYTES"] == str(25 * 2**20)


def test_the_same_command_finds_its_job_and_pays_for_no_other(
    account: Account, typed: Typed, photos: Path, played: list[Answer], tmp_path: Path
) -> None:
    typed("model=model", "photos=photos", *WHERE, "yes=true")
    before = (tmp_path / "predictions.csv").read_bytes()
    status, out, _ = typed("model=model", "photos=photos", *WHERE, "overwrite=true")
    assert (status, len(jobs()), "is there already (Completed)" in out) == (0, 1, True)
    assert (tmp_path / "predictions.csv").read_bytes() == before


def test_nothing_is_made_without_a_yes_or_where_the_table_cannot_be_written(
    account: Account, typed: Typed, photos: Path, tmp_path: Path
) -> None:
    assert "yes=true" in typed("model=model", "photos=photos", *WHERE)[2]
    (tmp_path / "mine.csv").write_text("mine")
    assert "mine.csv is there already" in typed("model=model", "photos=photos", *WHERE, "yes=true", "out=mine.csv")[2]
    assert account.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_photos_in_s3_are_asked_about_where_they_are(
    account: Account, typed: Typed, played: list[Answer], tmp_path: Path
) -> None:
    s3 = account.client("s3")
    for key in ("mine/a.jpg", "mine/b/2.jpg"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")
    played.append(lambda name: b"<html>" if name == "a.jpg" else None)
    status, _, _ = typed("model=model", f"photos=s3://{BUCKET}/mine", *WHERE, "yes=true", "out=a.csv")
    first, second = rows(tmp_path / "a.csv")
    assert status == 1
    assert first["file"] == f"s3://{BUCKET}/mine/a.jpg"
    assert "was answered with something else than breeds: b'<html>'" in first["error"]
    assert second["error"] == f"s3://{BUCKET}/mine/b/2.jpg was not answered."
    s3.put_object(Bucket=BUCKET, Key="mine/notes.txt", Body=b"none")
    told = typed("model=model", f"photos=s3://{BUCKET}/mine", *WHERE, "yes=true")[2]
    assert "photos of up to 25 MB alone below" in told and "'mine/notes.txt'" in told


def test_photos_of_a_manifest_are_those_it_names(
    account: Account, typed: Typed, played: list[Answer], tmp_path: Path
) -> None:
    s3, uri = account.client("s3"), f"s3://{BUCKET}/my.manifest"
    for name in ("1.jpg", "2.jpg"):
        s3.put_object(Bucket=BUCKET, Key=f"x/{name}", Body=b"photo")
    listed = json.dumps([{"prefix": f"s3://{BUCKET}/x/"}, "1.jpg"]).encode()
    s3.put_object(Bucket=BUCKET, Key="my.manifest", Body=listed)
    assert typed("model=model", f"photos={uri}", *WHERE, "yes=true", "out=a.csv")[0] == 0
    assert [row["file"] for row in rows(tmp_path / "a.csv")] == [f"s3://{BUCKET}/x/1.jpg"]


def test_photos_of_a_manifest_are_told_from_others_of_the_same_names(account: Account) -> None:
    s3 = account.client("s3")

    def version(key: str = "x/0.jpg", content: bytes = b"photo") -> str:
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return stored_photos(s3, f"s3://{BUCKET}/my.manifest", 6).version

    listed = [{"prefix": f"s3://{BUCKET}/x/"}, "1.jpg"]
    s3.put_object(Bucket=BUCKET, Key="my.manifest", Body=json.dumps(listed).encode())
    with pytest.raises(DataError, match=r"x/1\.jpg' is not: one such photo would fail the job"):
        version()
    first = version("x/1.jpg")
    assert version("x/2.jpg", b"not asked about") == first != version("x/1.jpg", b"other")
    with pytest.raises(DataError, match=r"x/1\.jpg' is larger"):
        version("x/1.jpg", b"too large")
    s3.put_object(Bucket=BUCKET, Key="my.manifest", Body=b"{}")
    with pytest.raises(DataError, match="it is something else"):
        version()


def test_what_was_overwritten_in_s3_is_asked_about_anew(
    account: Account, typed: Typed, played: list[Answer], tmp_path: Path
) -> None:
    s3 = account.client("s3")
    model = f"model=s3://{BUCKET}/mine/model.tar.gz"

    def ask(out: str) -> int:
        assert typed(model, f"photos=s3://{BUCKET}/photos", *WHERE, "yes=true", f"out={out}.csv")[0] == 0
        return len(jobs())

    s3.put_object(Bucket=BUCKET, Key="mine/model.tar.gz", Body=model_archive(tmp_path / "model").content)
    s3.put_object(Bucket=BUCKET, Key="photos/a.jpg", Body=b"photo")
    assert ask("a") == 1
    s3.put_object(Bucket=BUCKET, Key="photos/a.jpg", Body=b"another")
    assert ask("b") == 2
    (tmp_path / "model" / "README.md").write_text("# Trained anew")
    s3.put_object(Bucket=BUCKET, Key="mine/model.tar.gz", Body=model_archive(tmp_path / "model").content)
    assert ask("c") == 3


def test_answers_are_found_where_they_are_and_what_is_there_instead_is_named(account: Account) -> None:
    s3, names = account.client("s3"), dict[Path | str, str]({"a.jpg": "a.jpg", "b/a.jpg": "b/a.jpg"})
    left, place = LeftAnswers(s3, f"s3://{BUCKET}/t/", "application/json", 1), PhotoPlace("s3://photos/", names)
    s3.put_object(Bucket=BUCKET, Key="t/all.json", Body=b"")
    with pytest.raises(CloudError, match=rf"objects like 'a\.jpg\.out', found s3://{BUCKET}/t/all\.json\."):
        left.found(place)
    s3.put_object(Bucket=BUCKET, Key="t/photos/0/b/a.jpg.out", Body=as_json(""))
    assert left.found(place).output == f"s3://{BUCKET}/t/photos/0/"
    s3.put_object(Bucket=BUCKET, Key="t/a.jpg.out", Body=as_json(""))
    assert left.found(place).output == left.output


def test_a_job_without_any_answer_leaves_no_table(
    account: Account, typed: Typed, photos: Path, played: list[Answer], tmp_path: Path
) -> None:
    played.append(lambda _: None)
    status, _, err = typed("model=model", "photos=photos", *WHERE, "yes=true")
    assert (status, "found nothing" in err, list(tmp_path.glob("predictions*"))) == (1, True, [])


@pytest.mark.parametrize("answer", [b"", b'{"error": "busy"}', b"label\nBeagle\n", b"\xff", b'"' + b"x" * 200_000])
def test_what_is_no_table_of_breeds_is_no_answer(answer: bytes) -> None:
    with pytest.raises(FAULTS):
        of_csv(answer)


@pytest.mark.parametrize("answer", [b"", b'{"predictions": [[]]}', b'{"error": "busy"}', b"[" * 100_000])
def test_what_is_no_json_of_breeds_is_no_answer(answer: bytes) -> None:
    with pytest.raises(FAULTS):
        of_json(answer)


def test_a_table_of_another_command_is_met_before_anything_is_sent(
    account: Account, typed: Typed, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "predictions.csv.partial").write_text('{"job": "another"}\n')
    told = typed("model=model", "photos=photos", *WHERE, "yes=true")[2]
    assert "holds answers of another command (other job, top_k, batch_size)" in told
    assert account.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_the_container_is_told_how_long_an_answer_may_take_and_how_many_breeds_it_has() -> None:
    serverless = EndpointSettings(
        kind="serverless", server="torchserve", instance_type=None, memory_mb=3072, max_concurrency=5
    )
    variables = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": serverless, "RAYSERVE_BACKEND_TIMEOUT": EndpointSettings()}
    for variable, endpoint in variables.items():
        told = environment(container(endpoint, TransformSettings(response_seconds=600), 9), REGION)
        assert (told[variable], told["DOGBREED_TOP_K"], "SAGEMAKER_MODEL_SERVER_WORKERS" in told) == ("600", "9", False)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of jobs that have failed; all of them while it is empty."""
    make, names = BaseClient._make_api_call, set[str]()

    def call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        answer = make(client, operation, parameters)
        failed = {"TransformJobStatus": "Failed", "FailureReason": "ClientError: 400"}
        fails = operation == "DescribeTransformJob" and (not names or parameters["TransformJobName"] in names)
        return answer | failed if fails else answer

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return names


def test_what_a_job_answered_before_it_failed_is_written_and_the_next_attempt_is_gone_on_with(
    account: Account, typed: Typed, photos: Path, played: list[Answer], failing: set[str], tmp_path: Path
) -> None:
    played.append(lambda name: None if name == "a.png" else as_json(name))
    status, _, err = typed("model=model", "photos=photos", *WHERE, "yes=true")
    (name,) = jobs()
    assert (status, err.count("\n")) == (1, 1)
    assert "predictions.csv has the answers to 2 of 3 photos; with overwrite=true the same command begins" in err
    assert f"aws logs tail /aws/sagemaker/TransformJobs --log-stream-name-prefix {name} " in err
    assert [bool(row["error"]) for row in rows(tmp_path / "predictions.csv")] == [True, False, False]
    failing.add(name)
    played.append(as_json)
    assert typed("model=model", "photos=photos", *WHERE, "yes=true", "overwrite=true")[0] == 0
    assert jobs() == [name, f"{name}-2"]
    # The attempt that is there is paid for: nobody is asked again.
    assert next_attempt(account, KINDS["transform"], name) == (f"{name}-2", True)


def test_a_job_that_failed_with_nothing_answered_is_told_with_its_reason_and_leaves_no_table(
    account: Account, typed: Typed, photos: Path, failing: set[str], tmp_path: Path
) -> None:
    status, _, err = typed("model=model", "photos=photos", *WHERE, "yes=true")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("error: The transform job dogbreed-") and "failed: ClientError: 400" in err
    assert not (tmp_path / "predictions.csv").exists()


def test_the_requests_are_shown_without_an_account_and_are_ones_that_aws_could_take(
    typed: Typed, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    status, out, err = typed("model=model", "photos=photos", *WHERE, "dry_run=json")
    assert (status, err) == (0, "")
    model, job = json.loads(out)
    assert [one["operation"] for one in (model, job)] == ["CreateModel", "CreateTransformJob"]
    assert job["request"]["ModelName"] == model["request"]["ModelName"]
    for one in (model, job):
        check(Request(one["operation"], one["request"]))
    text = typed("model=model", "photos=s3://mine/photos", *WHERE, "dry_run=true")[1]
    assert "s3://mine/photos/" in text and "Nothing has been sent." in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photos=photos"], "Expected model=DIR"),
        (["model=model"], "Expected photos=FOLDER"),
        (["model=model", "photos=nowhere"], "found no folder at nowhere"),
        (["model=model", "photos=photos", "top_k=1001"], "Expected top_k from 1 to 1000"),
        (["model=model", "photos=photos", "out=a.txt", "dry_run=true"], "Expected out to end in .csv"),
        (["model=model", "photos=photos", "transform.at_once=50"], "100 MB at most"),
        (["model=model", "photos=photos", "out=a.txt"], "Expected out to end in .csv"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    account: Account, typed: Typed, photos: Path, arguments: list[str], message: str
) -> None:
    status, out, err = typed(*arguments, *WHERE, "yes=true")
    assert (status, out, err.count("\n")) == (1, "", 1), err
    assert message in err
