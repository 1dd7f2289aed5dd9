from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from dogbreed.errors import ArtifactError
from launch.endpoints import archive_check
from launch.endpoints.archive_check import checked_archive
from launch.endpoints.endpoint_limits import SERVERS
from launch.endpoints.model_archive import model_archive
from launch.shipping.reproducible_tar import tar_gz
from launch.shipping.unpacking import unpack_tar
from tests.drawn_photos import draw_folder
from tests.launch.model_folders import CLASS_NAMES, WEIGHTS, card, model_folder

SERVE = """
import json, sys
from inference import input_fn, model_fn, output_fn, predict_fn
body = open(sys.argv[2], "rb").read()
answer, kind = output_fn(predict_fn(input_fn(body, "image/png"), model_fn(sys.argv[1])), "application/json")
print(json.dumps([kind, json.loads(answer)["predictions"][0][0]["label"]]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("run") / "model")


def files(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {one.name: opened.extractfile(one).read() for one in opened}  # type: ignore[union-attr]


def packed(**contents: bytes | None) -> bytes:
    """An archive with other contents than the right ones; None leaves one out."""
    whole: Mapping[str, bytes | None] = {"model_json": b"", "weights": WEIGHTS, "entry": b"", **contents}
    names = {"model_json": "model.json", "weights": "model.safetensors", "entry": "code/inference.py"}
    return tar_gz({names[key]: content for key, content in whole.items() if content is not None})


def test_a_models_folder_is_packed_with_the_code_that_serves_it(folder: Path) -> None:
    found = files(model_archive(folder).content)
    assert {"model.json", "model.safetensors", "README.md", "code/inference.py", "code/requirements.txt"} <= set(found)
    assert "code/ray_app.py" in found
    assert "code/dogbreed/serving/handler.py" in found
    assert found["model.safetensors"] == WEIGHTS
    assert not [name for name in found if name.endswith(".pyc")]


def test_the_same_model_gives_the_same_bytes_wherever_it_lies(folder: Path, tmp_path: Path) -> None:
    (copy := model_folder(tmp_path / "elsewhere" / "model")).touch()
    os.utime(copy / "model.json", (0, 0))
    (copy / "notes.txt").write_text("no part of the model")
    assert model_archive(copy).sha256 == model_archive(folder).sha256
    # The run's folder stands for the model in it.
    assert model_archive(copy.parent).sha256 == model_archive(folder).sha256


def test_what_was_packed_passes_the_check_of_what_is_in_s3(folder: Path) -> None:
    archive = model_archive(folder)
    for server in SERVERS:
        assert checked_archive(io.BytesIO(archive.content), "s3://dogs/model.tar.gz", server) == card() == archive.card


def test_a_folder_without_a_model_says_where_a_run_leaves_one(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="OUTPUT_DIR/model"):
        model_archive(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", WEIGHTS[:-1], "its SHA-256 differs"),
        ("model.json", b"{", "is not JSON"),
        ("model.json", b'{"format": "another"}', "something else"),
        ("model.safetensors", None, "model.safetensors: No such file"),
    ],
)
def test_a_damaged_model_is_named_before_anything_is_packed(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=message):
        model_archive(folder)


def test_a_list_of_breeds_in_another_order_is_noticed(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"Akita", "Beagle"', '"Beagle", "Akita"'))
    with pytest.raises(ArtifactError, match="its digest differs"):
        model_archive(folder)


def test_an_archive_in_s3_that_cannot_be_served_is_named(folder: Path) -> None:
    model_json = (folder / "model.json").read_bytes()
    faults = {
        "has no code/inference.py, but model.json, model.safetensors": packed(model_json=model_json, entry=None),
        "has no model.json": packed(model_json=None),
        "something else": packed(model_json=b"{}"),
        "its SHA-256 differs": packed(model_json=model_json, weights=b"others"),
        "it cannot be read": packed(model_json=model_json)[:200],
        "cannot be read": b"no archive at all",
        "has no model.safetensors": packed(model_json=model_json, weights=None),
    }
    for message, archive in faults.items():
        with pytest.raises(ArtifactError, match=message) as error:
            checked_archive(io.BytesIO(archive), "s3://dogs/model.tar.gz", "torchserve")
        assert "s3://dogs/model.tar.gz" in str(error.value)


def test_an_archive_without_what_begins_its_endpoints_server_is_refused(folder: Path) -> None:
    older = packed(model_json=(folder / "model.json").read_bytes())
    with pytest.raises(ArtifactError, match=r"has no code/ray_app\.py.*Deploy the model's folder instead"):
        checked_archive(io.BytesIO(older), "s3://dogs/model.tar.gz", "ray")
    with pytest.raises(ArtifactError, match=r"or choose endpoint\.server=torchserve, whose code it has"):
        checked_archive(io.BytesIO(older), "s3://dogs/model.tar.gz", "ray")


def test_an_archive_of_too_much_is_refused_before_it_is_read_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_check, "MAX_MEMBERS", 2)
    with pytest.raises(ArtifactError, match="more than 2 files"):
        checked_archive(io.BytesIO(packed()), "s3://dogs/model.tar.gz", "torchserve")
    monkeypatch.setattr(archive_check, "MAX_BYTES", 1 << 20)
    bomb = io.BytesIO(gzip.compress(tarfile.TarInfo("bomb").tobuf()[:-12] + bytes(12 + (4 << 20))))
    with pytest.raises(ArtifactError):
        checked_archive(bomb, "s3://dogs/model.tar.gz", "torchserve")


@pytest.mark.slow
def test_a_trained_model_answers_from_its_archive_alone(tmp_path: Path) -> None:
    from tests.trained_models import save_small

    save_small(tmp_path / "model")
    (tmp_path / "model.tar.gz").write_bytes(model_archive(tmp_path / "model").content)
    unpack_tar(tmp_path / "model.tar.gz", tmp_path / "opt", max_files=2000, max_bytes=1 << 30)
    photo = next(draw_folder(tmp_path / "photos", classes=1, counts={"test": 1}).rglob("*.png"))
    asked = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path / "opt"), str(photo)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "opt/code")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    kind, label = json.loads(asked.stdout)
    assert (kind, label in CLASS_NAMES) == ("application/json", True)
