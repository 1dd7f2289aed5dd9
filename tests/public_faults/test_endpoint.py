"""Faults met in public attempts at this job: each is tried here, and cannot be committed or is named.

What is behind an endpoint: the four functions that its container calls.
"""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.code_folder import write_code
from dogbreed.serving.error import RequestError
from dogbreed.serving.handler import input_fn, model_fn, output_fn, predict_fn
from tests.data.photo_folders import noise
from tests.drawn_photos import draw_folder
from tests.public_faults.conftest import WatchedRun
from tests.public_faults.tiny_run import MODEL, tiny_run
from tests.trained_models import CLASS_NAMES, save_small

# A network or a GPU that is asked for ends the process with a traceback.
ALONE = """
import sys, torch
def refuse(event, arguments):
    if event.startswith(("socket.", "urllib.Request")):
        raise SystemExit(f"went online: {event} {arguments}")
def moved(*arguments, **_):
    raise SystemExit(f"asked for a GPU: {arguments}")
torch.Tensor.cuda = torch.nn.Module.cuda = moved
sys.addaudithook(refuse)
model, photo = sys.argv[1:]
sys.path.insert(0, model + "/code")
from inference import input_fn, model_fn, output_fn, predict_fn
answer = predict_fn(input_fn(open(photo, "rb").read(), "image/jpeg"), model_fn(model))
print(output_fn(answer, "text/csv")[0].decode().splitlines()[1].split(",")[2])
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("endpoint") / "model"
    save_small(folder, calibration={"temperature": 1.5})
    return folder


@pytest.fixture(scope="module")
def predictor(model: Path) -> BreedPredictor:
    return model_fn(str(model))


def asked(predictor: BreedPredictor, body: bytes, media: str = "image/jpeg") -> bytes:
    return output_fn(predict_fn(input_fn(body, media), predictor), "application/json")[0]


def best(answer: bytes) -> list[dict[str, Any]]:
    (found,) = json.loads(answer)["predictions"]
    return list(found)


def encoded(photo: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    photo.save(file, kind, **options)
    return file.getvalue()


# fault 4
def test_the_same_request_has_the_same_answer_byte_for_byte(predictor: BreedPredictor, model: Path) -> None:
    body = encoded(noise(90, 60, seed=1))
    first = asked(predictor, body)
    assert asked(predictor, body) == first
    assert asked(model_fn(str(model)), body) == first


# faults 5 and 6
def test_a_photo_that_is_no_square_is_answered_as_the_runs_evaluation_answered(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", classes=2, counts={"train": 6, "valid": 2, "test": 1})
    for number, file in enumerate((photos / "test").rglob("*.png")):
        noise(*((150, 60), (50, 120))[number], seed=number).save(file)
    tiny_run(photos, tmp_path / "run", max_epochs=1)
    predictor = model_fn(str(tmp_path / "run" / "model"))
    with (tmp_path / "run" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for row in rows:
        found = best(asked(predictor, (photos / row["file"]).read_bytes(), "image/png"))
        assert [one["label"] for one in found] == [row["prediction_1"], row["prediction_2"]]
        shares = [float(row["probability_1"]), float(row["probability_2"])]
        assert [one["probability"] for one in found] == pytest.approx(shares, abs=1e-5)


# fault 16
def test_an_answer_names_its_breeds_and_its_probabilities_add_up(predictor: BreedPredictor) -> None:
    found = best(asked(predictor, encoded(noise(seed=2))))
    assert sorted(found[0]) == ["index", "label", "probability"]
    assert [CLASS_NAMES[one["index"]] for one in found] == [one["label"] for one in found]
    assert sum(one["probability"] for one in found) == pytest.approx(1)
    assert [one["probability"] for one in found] == sorted((one["probability"] for one in found), reverse=True)


# faults 23 and 24
def test_an_endpoint_needs_no_gpu_and_no_network(watched: WatchedRun, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for name in ("model.json", "model.safetensors"):
        (model / name).write_bytes((watched.run.output_dir / "model" / name).read_bytes())
    write_code(model / "code", MODEL["backbone"])
    noise(seed=3).save(tmp_path / "photo.jpg")
    ended = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(model), str(tmp_path / "photo.jpg")],
        env={**os.environ, "TORCH_HOME": str(tmp_path / "empty"), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() in watched.run.data.class_names
    assert not (tmp_path / "empty").exists()


def deep(photo: Image.Image) -> Image.Image:
    return Image.fromarray(np.array(photo.convert("L")).astype(np.uint16) * 257)


TURNED = Image.Exif()
TURNED[ExifTags.Base.Orientation] = 6
PHOTO = noise(80, 60, seed=4)
GREY = PHOTO.convert("L")
CLEAR = Image.new("RGBA", (80, 60), (0, 0, 0, 0))
# As they come, and the plain picture that each is.
ODD: dict[str, tuple[bytes, Image.Image]] = {
    "greyscale": (encoded(GREY, "PNG"), GREY.convert("RGB")),
    "CMYK": (encoded(PHOTO.convert("CMYK"), "TIFF"), PHOTO.convert("CMYK").convert("RGB")),
    "RGBA": (encoded(CLEAR, "PNG"), Image.new("RGB", (80, 60), "white")),
    "16 bit": (encoded(deep(PHOTO), "PNG"), GREY.convert("RGB")),
    "rotated": (encoded(PHOTO, "TIFF", exif=TURNED), PHOTO.transpose(Image.Transpose.ROTATE_270)),
}


# fault 28
@pytest.mark.parametrize("name", ODD)
def test_an_odd_photo_is_answered_as_the_picture_that_it_is(predictor: BreedPredictor, name: str) -> None:
    body, plain = ODD[name]
    found = best(asked(predictor, body, "application/x-image"))
    expected = predictor.predict(plain)
    assert [one["label"] for one in found] == [one.name for one in expected]
    assert [one["probability"] for one in found] == pytest.approx([one.probability for one in expected], abs=1e-3)


# fault 28
@pytest.mark.parametrize("part", [0, 30, 0.5, 0.98])
def test_a_truncated_photo_is_refused_as_one(predictor: BreedPredictor, part: float) -> None:
    body = encoded(noise(80, 60, seed=5))
    with pytest.raises(RequestError, match="photo") as refused:
        asked(predictor, body[: int(part if part > 1 else part * len(body))])
    assert refused.value.status == 400


# fault 29
@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/meta-data", "https://dogs.example/a.jpg", "file:///etc"]
)
@pytest.mark.parametrize(
    "form", ['{"url": URL}', '{"instances": [{"url": URL}]}', '{"instances": [{"data": {"url": URL}}]}']
)
def test_no_url_is_fetched_unless_the_owner_lists_its_host(
    predictor: BreedPredictor, monkeypatch: pytest.MonkeyPatch, form: str, url: str
) -> None:
    def opened(*_: Any, **__: Any) -> None:
        raise AssertionError("A socket was opened.")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, opened)
    with pytest.raises(RequestError) as refused:
        asked(predictor, form.replace("URL", json.dumps(url)).encode(), "application/json")
    assert 400 <= refused.value.status < 500


# fault 23
def test_a_model_is_on_the_device_that_the_machine_has(predictor: BreedPredictor) -> None:
    expected = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
    assert {tensor.device for tensor in predictor.artifact.network.state_dict().values()} == {expected}
