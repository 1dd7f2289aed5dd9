from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dogbreed.errors import CloudError, ConfigError, DataError
from launch.shipping.manifest import folder_manifest
from launch.shipping.s3_objects import as_base64, listing
from launch.shipping.uploading import upload_bytes, upload_file, upload_folder
from tests.launch.scripted_s3 import ScriptedS3, moto_s3, s3_client, scripted_s3

PHOTOS = {
    f"{split}/Akita/{number}.jpg": f"{split} {number}".encode() for split in ("train", "valid") for number in "123"
}
PHOTOS["train/Großer Münsterländer/a+b & 100%.jpg"] = b"names"


@pytest.fixture(scope="module")
def moto() -> Iterator[int]:
    with moto_s3() as port:
        yield port


@pytest.fixture(scope="module")
def moto_client(moto: int) -> Any:
    return s3_client(moto)


@pytest.fixture
def client(moto_client: Any) -> Any:
    """With a bucket of its own."""
    name = f"bucket-{random.SystemRandom().randbytes(6).hex()}"
    moto_client.create_bucket(Bucket=name)
    return SimpleNamespace(s3=moto_client, bucket=name)


@pytest.fixture(scope="module")
def running() -> Iterator[ScriptedS3]:
    with scripted_s3() as server:
        yield server


@pytest.fixture(scope="module")
def faulty_client(running: ScriptedS3) -> Any:
    return s3_client(running.server_port)


@pytest.fixture
def faulty(running: ScriptedS3, monkeypatch: pytest.MonkeyPatch) -> ScriptedS3:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    running.objects.clear()
    running.faults.clear()
    running.asked.clear()
    return running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "dogs", PHOTOS)
    return tmp_path / "dogs"


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def uploaded(client: Any, root: Path, **settings: Any) -> tuple[str, str]:
    """Where the folder is then, and what there was to do."""
    told: list[str] = []
    manifest = folder_manifest(root)
    uri = upload_folder(
        client.s3, root, manifest, bucket=client.bucket, prefix="dogbreed", show=told.append, **settings
    )
    assert uri == f"s3://{client.bucket}/dogbreed/photos/{manifest.sha256[:16]}/"
    return uri, told[0].split(" to upload")[0]


def stored(client: Any, uri: str) -> dict[str, bytes]:
    prefix = uri.removeprefix(f"s3://{client.bucket}/")
    keys = listing(client.s3, bucket=client.bucket, prefix=prefix)
    return {key.removeprefix(prefix): read(client, key) for key in keys}


def read(client: Any, key: str) -> bytes:
    content: bytes = client.s3.get_object(Bucket=client.bucket, Key=key)["Body"].read()
    return content


def manifests(client: Any) -> list[str]:
    return list(listing(client.s3, bucket=client.bucket, prefix="dogbreed/manifests/"))


def test_every_file_is_there_with_its_checksum_and_the_manifest_says_so(client: Any, root: Path) -> None:
    uri, told = uploaded(client, root)
    assert told == "7 of 7 files"
    assert stored(client, uri) == PHOTOS
    manifest = folder_manifest(root)
    assert manifests(client) == [f"dogbreed/manifests/{manifest.sha256[:16]}.json"]
    assert json.loads(read(client, manifests(client)[0])) == manifest.as_json()
    key = f"dogbreed/photos/{manifest.sha256[:16]}/train/Akita/1.jpg"
    about = client.s3.head_object(Bucket=client.bucket, Key=key, ChecksumMode="ENABLED")
    assert about["ChecksumSHA256"] == as_base64(hashlib.sha256(b"train 1").hexdigest())


def test_what_is_there_is_not_uploaded_again(client: Any, root: Path) -> None:
    uri, _ = uploaded(client, root)
    before = listing(client.s3, bucket=client.bucket, prefix="")
    assert uploaded(client, root) == (uri, "0 of 7 files")
    assert listing(client.s3, bucket=client.bucket, prefix="") == before


def test_an_unfinished_upload_is_gone_on_with_and_its_files_are_looked_at(client: Any, root: Path) -> None:
    uri, _ = uploaded(client, root)
    client.s3.delete_object(Bucket=client.bucket, Key=manifests(client)[0])
    place = uri.removeprefix(f"s3://{client.bucket}/")
    client.s3.delete_object(Bucket=client.bucket, Key=f"{place}train/Akita/1.jpg")
    client.s3.put_object(Bucket=client.bucket, Key=f"{place}train/Akita/2.jpg", Body=b"tra")
    client.s3.put_object(Bucket=client.bucket, Key=f"{place}train/Akita/3.jpg", Body=b"TRAIN 3")
    assert uploaded(client, root) == (uri, "3 of 7 files")
    assert stored(client, uri) == PHOTOS
    assert len(manifests(client)) == 1


def test_what_was_deleted_after_the_upload_comes_back(client: Any, root: Path) -> None:
    uri, _ = uploaded(client, root)
    place = uri.removeprefix(f"s3://{client.bucket}/")
    client.s3.delete_object(Bucket=client.bucket, Key=f"{place}train/Akita/1.jpg")
    assert uploaded(client, root)[1] == "1 of 7 files"
    assert stored(client, uri) == PHOTOS


def test_of_a_new_version_only_what_is_new_is_sent(client: Any, root: Path) -> None:
    first, _ = uploaded(client, root)
    (root / "train/Akita/1.jpg").rename(root / "train/Akita/renamed.jpg")
    (root / "train/Akita/2.jpg").unlink()
    write(root, {"train/Akita/new.jpg": b"new"})
    sent: list[str] = []
    client.s3.meta.events.register("before-call.s3.PutObject", note := lambda model, **_: sent.append(model.name))
    second, _ = uploaded(client, root)
    client.s3.meta.events.unregister("before-call.s3.PutObject", note)
    assert len(sent) == 2  # the new photo and the manifest
    changed = {
        name: content for name, content in PHOTOS.items() if name not in ("train/Akita/1.jpg", "train/Akita/2.jpg")
    }
    assert stored(client, second) == changed | {"train/Akita/renamed.jpg": b"train 1", "train/Akita/new.jpg": b"new"}
    assert stored(client, first) == PHOTOS


@pytest.mark.parametrize("damage", ["delete", "replace"])
def test_an_earlier_version_that_is_no_longer_what_its_manifest_says_does_no_harm(
    client: Any, root: Path, damage: str
) -> None:
    first, _ = uploaded(client, root)
    for name in PHOTOS:
        place = {"Bucket": client.bucket, "Key": f"{first.removeprefix(f's3://{client.bucket}/')}{name}"}
        client.s3.delete_object(**place) if damage == "delete" else client.s3.put_object(Body=b"other", **place)
    write(root, {"train/Akita/new.jpg": b"new"})
    second, _ = uploaded(client, root)
    assert stored(client, second) == PHOTOS | {"train/Akita/new.jpg": b"new"}


def test_a_manifest_that_cannot_be_read_does_no_harm(client: Any, root: Path) -> None:
    client.s3.put_object(Bucket=client.bucket, Key="dogbreed/manifests/0.json", Body=b"damaged")
    uri, _ = uploaded(client, root)
    assert stored(client, uri) == PHOTOS


def test_a_photo_that_changed_since_is_named_and_nothing_is_called_complete(client: Any, root: Path) -> None:
    manifest = folder_manifest(root)
    write(root, {"train/Akita/1.jpg": b"changed"})
    with pytest.raises(DataError, match=r"1\.jpg.*changed"):
        upload_folder(client.s3, root, manifest, bucket=client.bucket, prefix="dogbreed")
    (root / "train/Akita/1.jpg").unlink()
    with pytest.raises(DataError, match=r"1\.jpg.*No such file"):
        upload_folder(client.s3, root, manifest, bucket=client.bucket, prefix="dogbreed")
    assert manifests(client) == []


def test_a_stranger_among_the_files_is_named_and_nothing_is_called_complete(client: Any, root: Path) -> None:
    key = f"dogbreed/photos/{folder_manifest(root).sha256[:16]}/train/Akita/stranger.jpg"
    client.s3.put_object(Bucket=client.bucket, Key=key, Body=b"stranger")
    with pytest.raises(CloudError, match=r"Expected nothing at s3://.*stranger\.jpg, found 8 bytes"):
        uploaded(client, root)
    assert manifests(client) == []


UPLOAD = """
import sys
from pathlib import Path
from launch.shipping.manifest import folder_manifest
from launch.shipping.uploading import upload_folder
from tests.launch.scripted_s3 import s3_client
port, bucket, root = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
upload_folder(s3_client(port), root, folder_manifest(root), bucket=bucket, prefix="dogbreed", workers=2)
"""


def test_a_killed_upload_is_never_taken_for_complete_and_is_finished_by_the_next(
    client: Any, moto: int, tmp_path: Path
) -> None:
    photos = {f"Akita/{number}.jpg": str(number).encode() for number in range(150)}
    write(tmp_path / "dogs", photos)
    command = [sys.executable, "-c", UPLOAD, str(moto), client.bucket, tmp_path / "dogs"]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[3])
    while not (came := listing(client.s3, bucket=client.bucket, prefix="dogbreed/photos/")) and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 0 < len(came) < 150
    assert manifests(client) == []
    uri, told = uploaded(client, tmp_path / "dogs")
    assert 0 < int(told.split()[0]) < 150
    assert stored(client, uri) == photos
    assert uploaded(client, tmp_path / "dogs")[1] == "0 of 150 files"


@pytest.mark.parametrize(
    "faults", [["503"] * 3, ["reset"], ["lost answer"], ["lost answer", "503", "reset"] * 2], ids="+".join
)
def test_whatever_goes_wrong_on_the_way_every_file_is_there(
    faulty: ScriptedS3, faulty_client: Any, root: Path, faults: list[str]
) -> None:
    faulty.faults["PUT"] = list(faults)
    manifest = folder_manifest(root)
    uri = upload_folder(faulty_client, root, manifest, bucket="bucket", prefix="p", workers=2)
    assert faulty.faults["PUT"] == []
    place = uri.removeprefix("s3://")
    names = {n.removeprefix(place): c for n, c in faulty.objects.items() if n.startswith(place)}
    assert names == PHOTOS
    assert len(faulty.objects) == len(PHOTOS) + 1


def test_an_s3_that_stays_busy_ends_in_one_line_and_the_next_run_goes_on(
    faulty: ScriptedS3, faulty_client: Any, root: Path
) -> None:
    faulty.faults["PUT"] = ["", "", *["503"] * 50]
    manifest = folder_manifest(root)
    with pytest.raises(CloudError) as caught:
        upload_folder(faulty_client, root, manifest, bucket="bucket", prefix="p", workers=1)
    assert "\n" not in str(caught.value)
    assert len(faulty.objects) == 2
    faulty.faults.clear()
    faulty.asked.clear()
    upload_folder(faulty_client, root, manifest, bucket="bucket", prefix="p", workers=1)
    assert faulty.asked["PUT"] == len(PHOTOS) - 2 + 1


def test_bytes_are_brought_once_whatever_goes_wrong(faulty: ScriptedS3, faulty_client: Any) -> None:
    faulty.faults["PUT"] = ["reset", "503", "lost answer"]
    place = {"bucket": "bucket", "key": "source/1/source.tar.gz"}
    assert upload_bytes(faulty_client, b"source", **place) == "s3://bucket/source/1/source.tar.gz"
    assert faulty.objects == {"bucket/source/1/source.tar.gz": b"source"}
    asked = faulty.asked["PUT"]
    assert upload_bytes(faulty_client, b"source", **place) == "s3://bucket/source/1/source.tar.gz"
    assert faulty.asked["PUT"] == asked


def test_other_bytes_at_the_place_are_overwritten(faulty: ScriptedS3, faulty_client: Any) -> None:
    faulty.objects["bucket/key"] = b"secure"
    upload_bytes(faulty_client, b"source", bucket="bucket", key="key")
    assert faulty.objects == {"bucket/key": b"source"}


def test_a_file_is_brought_once_whatever_goes_wrong(faulty: ScriptedS3, faulty_client: Any, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(300_000)
    (tmp_path / "weights.pt").write_bytes(content)
    faulty.faults["PUT"] = ["503", "reset", "lost answer"]
    for _ in range(2):
        uri = upload_file(faulty_client, tmp_path / "weights.pt", bucket="bucket", key="weights/1/weights.pt")
    assert uri == "s3://bucket/weights/1/weights.pt"
    assert faulty.objects == {"bucket/weights/1/weights.pt": content}
    assert faulty.asked["PUT"] == 4


def test_a_file_that_cannot_be_read_or_is_too_large_is_refused(
    faulty: ScriptedS3, faulty_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        upload_file(faulty_client, tmp_path / "weights.pt", bucket="bucket", key="key")
    (tmp_path / "weights.pt").write_bytes(b"12345")
    monkeypatch.setattr("launch.shipping.uploading.MAX_PUT_BYTES", 4)
    with pytest.raises(ConfigError, match=r"has 5\."):
        upload_file(faulty_client, tmp_path / "weights.pt", bucket="bucket", key="key")
    assert faulty.objects == {}


def test_a_bucket_that_does_not_exist_ends_in_the_line_that_makes_it(moto_client: Any, root: Path) -> None:
    with pytest.raises(CloudError, match="aws s3 mb s3://no-such-bucket"):
        upload_folder(moto_client, root, folder_manifest(root), bucket="no-such-bucket", prefix="p")
    with pytest.raises(CloudError, match="aws s3 mb s3://no-such-bucket"):
        upload_bytes(moto_client, b"x", bucket="no-such-bucket", key="key")


@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        ("ExpiredToken", 400, "aws sso login"),
        ("AccessDenied", 403, "python -m launch.permissions"),
        ("InvalidAccessKeyId", 403, "InvalidAccessKeyId"),
    ],
)
def test_credentials_that_will_not_do_end_in_the_line_that_mends_them(
    moto_client: Any, code: str, status: int, why: str, root: Path
) -> None:
    from botocore.stub import Stubber

    with Stubber(moto_client) as stubber:
        stubber.add_client_error("head_object", code, "secret detail", http_status_code=status)
        with pytest.raises(CloudError, match=why) as caught:
            upload_folder(moto_client, root, folder_manifest(root), bucket="bucket", prefix="p")
    assert "\n" not in str(caught.value)
