from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dogbreed.errors import CloudError, ConfigError
from launch.shipping.fetching import fetch_object
from tests.launch.scripted_s3 import ScriptedS3, s3_client, scripted_s3

CONTENT = random.Random(1).randbytes(600_000)
OTHER = random.Random(2).randbytes(500_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URI = "s3://bucket/output/model.tar.gz"


@pytest.fixture(scope="module")
def running() -> Iterator[ScriptedS3]:
    with scripted_s3() as server:
        yield server


@pytest.fixture(scope="module")
def client(running: ScriptedS3) -> Any:
    return s3_client(running.server_port)


@pytest.fixture
def server(running: ScriptedS3, monkeypatch: pytest.MonkeyPatch) -> ScriptedS3:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    running.objects = {URI.removeprefix("s3://"): CONTENT}
    running.faults.clear()
    running.asked.clear()
    running.ranges.clear()
    running.hides_checksums = False
    return running


def fetched(client: Any, path: Path, **settings: Any) -> bytes:
    settings = {"wait": lambda _: None} | settings
    return fetch_object(client, URI, path, **settings).read_bytes()


def only(path: Path) -> bool:
    """Whether nothing but the file is in its folder."""
    return list(path.parent.iterdir()) == [path]


def test_the_object_is_there_afterwards_and_nothing_else(server: ScriptedS3, client: Any, tmp_path: Path) -> None:
    path = tmp_path / "new" / "model.tar.gz"
    assert fetched(client, path) == CONTENT
    assert only(path)


def test_an_empty_object_is_an_empty_file(server: ScriptedS3, client: Any, tmp_path: Path) -> None:
    server.objects["bucket/output/model.tar.gz"] = b""
    assert fetched(client, tmp_path / "model") == b""
    assert only(tmp_path / "model")


@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize(
    "faults",
    [
        ["503"] * 3,
        ["reset"],
        ["short"],
        ["reset", "wrong range"],
        ["reset", "200 for 206"],
        ["flipped byte"],
        ["reset", "flipped byte"],
        ["short", "503", "reset", "wrong range", "reset", "flipped byte", "short", "reset", "200 for 206"],
    ],
    ids="+".join,
)
def test_whatever_goes_wrong_on_the_way_the_file_is_the_object(
    server: ScriptedS3, client: Any, tmp_path: Path, faults: list[str], checksums: bool
) -> None:
    server.hides_checksums = not checksums
    server.faults["GET"] = list(faults)
    assert fetched(client, tmp_path / "model", attempts=len(faults) + 1) == CONTENT
    assert server.faults["GET"] == []
    assert only(tmp_path / "model")


def test_an_object_that_is_replaced_midway_is_fetched_anew(server: ScriptedS3, client: Any, tmp_path: Path) -> None:
    server.next_content, server.faults["GET"] = OTHER, ["replaced"]
    assert fetched(client, tmp_path / "model") == OTHER
    assert only(tmp_path / "model")


@pytest.mark.parametrize("fault", ["wrong range", "flipped byte", "reset"])
def test_what_never_ends_well_ends_in_one_line_and_leaves_the_file_as_it_was(
    server: ScriptedS3, client: Any, tmp_path: Path, fault: str
) -> None:
    (tmp_path / "model").write_bytes(b"older")
    server.objects["bucket/output/model.tar.gz"] = CONTENT[:64] if fault == "reset" else CONTENT
    server.faults["GET"] = ["short", *[fault] * 100]
    with pytest.raises(CloudError, match="tries without progress") as caught:
        fetched(client, tmp_path / "model", attempts=3)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "model").read_bytes() == b"older"
    assert len(server.ranges) < 12


def test_a_call_goes_on_where_an_earlier_one_was_cut_off(server: ScriptedS3, client: Any, tmp_path: Path) -> None:
    server.faults["GET"] = ["short"]
    with pytest.raises(CloudError, match="broke off"):
        fetched(client, tmp_path / "model", attempts=1)
    assert not (tmp_path / "model").exists()
    came = (tmp_path / "model.partial").stat().st_size
    assert came > 0
    assert fetched(client, tmp_path / "model") == CONTENT
    assert server.ranges == [None, f"bytes={came}-"]
    assert only(tmp_path / "model")


def test_a_call_begins_anew_where_the_object_was_replaced_meanwhile(
    server: ScriptedS3, client: Any, tmp_path: Path
) -> None:
    server.faults["GET"] = ["short"]
    with pytest.raises(CloudError):
        fetched(client, tmp_path / "model", attempts=1)
    server.objects["bucket/output/model.tar.gz"] = OTHER
    assert fetched(client, tmp_path / "model") == OTHER
    assert server.ranges == [None, None]


def test_waits_grow_and_are_bounded(server: ScriptedS3, client: Any, tmp_path: Path) -> None:
    server.objects["bucket/output/model.tar.gz"] = b"x"
    server.faults["GET"] = ["short"] * 100
    waits: list[float] = []
    with pytest.raises(CloudError):
        fetched(client, tmp_path / "model", attempts=9, wait=waits.append)
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def test_another_content_than_the_one_wanted_is_refused(server: ScriptedS3, client: Any, tmp_path: Path) -> None:
    server.objects["bucket/output/model.tar.gz"] = OTHER
    with pytest.raises(CloudError, match=f"instead of {SHA256}"):
        fetched(client, tmp_path / "model", sha256=SHA256, attempts=2)
    assert list(tmp_path.iterdir()) == []


def test_a_busy_s3_is_asked_again_about_the_object(server: ScriptedS3, client: Any, tmp_path: Path) -> None:
    server.faults["HEAD"] = ["503"] * 3
    assert fetched(client, tmp_path / "model") == CONTENT


def test_an_object_that_is_not_there_is_named(server: ScriptedS3, client: Any, tmp_path: Path) -> None:
    server.objects.clear()
    with pytest.raises(CloudError, match=f"There is no {URI}"):
        fetched(client, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("status", "why"), [("400", "aws sso login"), ("403", "launch.permissions")])
def test_credentials_that_will_not_do_end_in_the_line_that_mends_them(
    server: ScriptedS3, client: Any, tmp_path: Path, status: str, why: str
) -> None:
    server.faults["HEAD"] = [status]
    with pytest.raises(CloudError, match=why) as caught:
        fetched(client, tmp_path / "model")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_be_written_ends_in_one_line(server: ScriptedS3, client: Any, tmp_path: Path) -> None:
    (tmp_path / "model.partial").mkdir()
    with pytest.raises(CloudError, match="Expected to write"):
        fetched(client, tmp_path / "model")


@pytest.mark.parametrize("uri", ["bucket/key", "s3://bucket", "s3://bucket/", "https://bucket/key", "s3:///key"])
def test_a_text_that_names_no_object_is_refused(uri: str, client: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="s3://BUCKET/KEY"):
        fetch_object(client, uri, tmp_path / "model")
