from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dogbreed.data.transforms import evaluation_transform, normalise
from dogbreed.predictor import BreedPredictor
from dogbreed.serving import handler
from dogbreed.serving.error import RequestError
from dogbreed.serving.handler import input_fn, model_fn, output_fn, predict_fn
from dogbreed.serving.settings import Settings
from tests.data.photo_folders import noise
from tests.trained_models import CLASS_NAMES, save_small

PHOTOS = [noise(61, 45, seed=1), noise(33, 200, seed=2)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact") / "model"
    save_small(folder, calibration={"temperature": 2.5})
    return folder


@pytest.fixture(scope="module")
def predictor(model: Path) -> BreedPredictor:
    return model_fn(str(model))


def encoded(photo: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    photo.save(file, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return file.getvalue()


def text(photo: Image.Image) -> str:
    return base64.b64encode(encoded(photo)).decode()


def npy(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_an_answer_has_as_many_breeds_as_the_process_was_told(
    predictor: BreedPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "process_settings", lambda: Settings(top_k=2))
    assert [len(breeds) for breeds in answered(encoded(PHOTOS[0]), "image/png", predictor)] == [2]


def answered(body: bytes | str, media: str, predictor: BreedPredictor) -> list[list[dict[str, Any]]]:
    content, accepted = output_fn(predict_fn(input_fn(body, media), predictor), "application/json")
    assert accepted == "application/json"
    found: list[list[dict[str, Any]]] = json.loads(content)["predictions"]
    return found


def assert_as_the_predictor_says(
    answers: list[list[dict[str, Any]]], photos: Sequence[Image.Image], predictor: BreedPredictor
) -> None:
    assert len(answers) == len(photos)
    for answer, expected in zip(answers, predictor.predict_many(photos), strict=True):
        assert [(one["label"], one["index"]) for one in answer] == [(one.name, one.index) for one in expected]
        assert [one["probability"] for one in answer] == pytest.approx([one.probability for one in expected], abs=1e-6)


@pytest.mark.parametrize(
    ("media", "kind"),
    [("image/png", "PNG"), ("image/webp", "WEBP"), ("application/x-image", "BMP"), ("IMAGE/PNG; q=1", "PNG")],
)
def test_a_photo_has_the_predictors_answer(predictor: BreedPredictor, media: str, kind: str) -> None:
    assert_as_the_predictor_says(answered(encoded(PHOTOS[0], kind), media, predictor), PHOTOS[:1], predictor)


def test_a_jpeg_has_the_predictors_answer(predictor: BreedPredictor) -> None:
    body = encoded(PHOTOS[0], "JPEG")
    assert_as_the_predictor_says(answered(body, "image/jpeg", predictor), [Image.open(io.BytesIO(body))], predictor)


def test_photos_in_json_are_answered_in_their_order(predictor: BreedPredictor) -> None:
    many = json.dumps({"instances": [{"data": text(photo)} for photo in PHOTOS]})
    assert_as_the_predictor_says(answered(many, "application/json", predictor), PHOTOS, predictor)
    one = json.dumps({"image": text(PHOTOS[0])}).encode()
    assert_as_the_predictor_says(answered(one, "application/json; charset=utf-8", predictor), PHOTOS[:1], predictor)


@pytest.mark.parametrize("axes", [(0, 3, 1, 2), (0, 1, 2, 3)], ids=["channels first", "channels last"])
def test_photos_as_arrays_are_answered_as_photos(predictor: BreedPredictor, axes: tuple[int, ...]) -> None:
    photos = [noise(48, 40, seed=seed) for seed in range(3)]
    body = npy(np.stack([np.array(photo) for photo in photos]).transpose(axes))
    assert_as_the_predictor_says(answered(body, "application/x-npy", predictor), photos, predictor)


def preprocessed(photo: Image.Image, predictor: BreedPredictor) -> Tensor:
    preprocessing = predictor.artifact.preprocessing
    return normalise(evaluation_transform(preprocessing)(photo).as_subclass(Tensor), preprocessing)


def test_images_preprocessed_elsewhere_are_not_preprocessed_again(predictor: BreedPredictor) -> None:
    images = torch.stack([preprocessed(photo, predictor) for photo in PHOTOS]).numpy()
    assert_as_the_predictor_says(answered(npy(images), "application/x-npy", predictor), PHOTOS, predictor)
    assert_as_the_predictor_says(answered(npy(images[0]), "application/x-npy", predictor), PHOTOS[:1], predictor)


def test_an_answer_comes_in_the_first_media_type_that_is_accepted(predictor: BreedPredictor) -> None:
    answers = predict_fn(PHOTOS, predictor)
    logits, media = output_fn(answers, "application/x-npy")
    assert media == "application/x-npy"
    array = np.load(io.BytesIO(logits), allow_pickle=False)
    assert (array.shape, array.dtype) == ((2, len(CLASS_NAMES)), np.float32)
    rows = list(csv.DictReader(io.StringIO(output_fn(answers, "text/html, text/csv;q=0.9")[0].decode())))
    assert [row["photo"] for row in rows] == ["0"] * 3 + ["1"] * 3
    assert {row["label"] for row in rows} == set(CLASS_NAMES)
    for anything in (None, "", "*/*", "image/avif, */*"):
        body, media = output_fn(answers, anything)
        assert media == "application/json"
        assert json.loads(body)["model_version"] == predictor.artifact.card["digest"][:12]
    with pytest.raises(RequestError, match="Expected to accept") as refused:
        output_fn(answers, "text/html")
    assert refused.value.status == 406


def refusals(side: int) -> dict[str, tuple[bytes | str, str, int, str]]:
    """What is sent, as what, and the status and sentence that must come."""
    objects = io.BytesIO()
    np.save(objects, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    header = npy(np.zeros((1, 3, side, side), np.float32))
    url = {"url": "http://169.254.169.254/latest/meta-data"}
    return {
        "unknown type": (b"x", "application/pdf", 415, "Expected a content type"),
        "no type": (b"x", "", 415, "Expected a content type"),
        "no photo": (b"<!DOCTYPE html>", "image/jpeg", 400, "is not a photo"),
        "half a photo": (encoded(PHOTOS[0])[:200], "image/png", 400, "photo"),
        "no JSON": (b"{", "application/json", 400, "Expected JSON"),
        "deep JSON": ("[" * 100_000, "application/json", 400, "Expected JSON"),
        "no base64": (json.dumps({"image": "***"}), "application/json", 400, "base64"),
        "a number": (b"7", "application/json", 400, "BASE64"),
        "a URL": (json.dumps(url), "application/json", 400, "fetches no URL"),
        "URLs": (json.dumps({"instances": [url]}), "application/json", 400, "fetches no URL"),
        "no instances": (json.dumps({"instances": []}), "application/json", 400, "1 to 64 instances"),
        "many instances": (json.dumps({"instances": ["eA=="] * 65}), "application/json", 400, "1 to 64 instances"),
        "objects": (objects.getvalue(), "application/x-npy", 400, "uint8 or float32"),
        "no array": (b"\x93NUMPY\x07\x00", "application/x-npy", 400, "NumPy"),
        "a short array": (header[:-4], "application/x-npy", 400, "and its bytes"),
        "halves": (npy(np.zeros((1, 3, side, side), np.float16)), "application/x-npy", 400, "uint8 or float32"),
        "another shape": (npy(np.zeros((side, side), np.float32)), "application/x-npy", 400, "(side, side)"),
        "not a number": (npy(np.full((3, side, side), np.nan, np.float32)), "application/x-npy", 400, "finite"),
        "too many": (npy(np.zeros((65, 3, 8, 8), np.uint8)), "application/x-npy", 413, "1 to 64 photos"),
        "another size": (npy(np.zeros((1, 3, 8, 8), np.float32)), "application/x-npy", 400, "Expected images of"),
    }


@pytest.mark.parametrize("request_name", refusals(32))
def test_what_cannot_be_answered_is_a_sentence_and_the_callers_status(
    predictor: BreedPredictor, request_name: str
) -> None:
    body, media, status, sentence = refusals(predictor.artifact.preprocessing.crop)[request_name]
    with pytest.raises(RequestError) as refused:
        predict_fn(input_fn(body, media), predictor)
    assert isinstance(refused.value, ValueError)
    assert refused.value.status == status
    assert sentence.replace("(side, side)", "(32, 32)") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_photos_that_are_small_as_files_and_vast_as_pictures_are_refused_together() -> None:
    file = io.BytesIO()
    Image.new("L", (8000, 8000)).save(file, "PNG")
    flat = base64.b64encode(file.getvalue()).decode()
    with pytest.raises(RequestError) as refused:
        input_fn(json.dumps({"instances": [{"data": flat}] * 20}).encode(), "application/json")
    assert refused.value.status == 413


def test_a_body_of_no_named_type_is_refused_and_no_fault_of_the_server() -> None:
    with pytest.raises(RequestError) as refused:
        input_fn(b"photo", None)  # type: ignore[arg-type]
    assert refused.value.status == 415
