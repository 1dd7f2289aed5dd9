from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

import dogbreed
from dogbreed.data.photos import open_photo
from dogbreed.data.transforms import evaluation_transform, normalise
from dogbreed.errors import ArtifactError, ConfigError, DataError
from dogbreed.predictor import BreedPredictor, Prediction
from tests.data.photo_folders import noise
from tests.trained_models import CLASS_NAMES, save_small

SIZES = [(48, 48), (61, 45), (33, 200)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact") / "model"
    save_small(folder)
    return folder


@pytest.fixture(scope="module")
def predictor(model: Path) -> BreedPredictor:
    return BreedPredictor.load(model)


def pixels(photo: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(photo)).permute(2, 0, 1)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_photo_has_the_same_answer_in_whatever_form_it_comes(
    predictor: BreedPredictor, tmp_path: Path, size: tuple[int, int]
) -> None:
    photo, file = noise(*size, seed=1), io.BytesIO()
    photo.save(file, "PNG")
    (tmp_path / "a.png").write_bytes(file.getvalue())
    forms: list[Any] = [
        tmp_path / "a.png",
        str(tmp_path / "a.png"),
        file.getvalue(),
        photo,
        pixels(photo),
        pixels(photo).float() / 255,
        pixels(photo).double() / 255,
        v2.functional.to_dtype(pixels(photo), torch.float32, scale=True),
        v2.functional.to_image(photo),
    ]
    answers = [predictor.predict(form) for form in forms]
    assert all(answer == answers[0] for answer in answers)


def test_the_answer_is_that_of_the_network_on_the_photo_as_it_was_trained(model: Path) -> None:
    predictor, photo = BreedPredictor.load(model), noise(61, 45, seed=1)
    preprocessing = predictor.artifact.preprocessing
    image = normalise(evaluation_transform(preprocessing)(photo).as_subclass(Tensor), preprocessing)
    with torch.inference_mode():
        probabilities = predictor.artifact.network(image[None]).softmax(1)[0]
    for prediction in predictor.predict(photo):
        assert prediction.probability == probabilities[prediction.index].item()
        assert prediction.name == CLASS_NAMES[prediction.index]


@pytest.mark.parametrize(("top_k", "answers"), [(1, 1), (2, 2), (3, 3), (5, 3), (1000, 3)])
def test_as_many_breeds_are_named_as_asked_for_and_there_are(
    predictor: BreedPredictor, top_k: int, answers: int
) -> None:
    predictions = predictor.predict(noise(40, 40), top_k=top_k)
    assert len(predictions) == answers
    probabilities = [prediction.probability for prediction in predictions]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 <= probability <= 1 for probability in probabilities)
    assert answers < 3 or sum(probabilities) == pytest.approx(1)


@pytest.mark.parametrize("settings", [{"top_k": 0}, {"top_k": -1}, {"batch_size": 0}], ids=str)
def test_less_than_one_breed_or_photo_at_once_is_refused(predictor: BreedPredictor, settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        list(predictor.predict_many([noise()], **settings))


@pytest.mark.parametrize("batch_size", [1, 2, 7, 100])
def test_many_photos_are_answered_in_their_order(predictor: BreedPredictor, batch_size: int) -> None:
    photos = [noise(40, 40, seed=number) for number in range(7)]
    together = list(predictor.predict_many(iter(photos), batch_size=batch_size))
    for photo, answer in zip(photos, together, strict=True):
        alone = predictor.predict(photo)
        assert [p.name for p in answer] == [p.name for p in alone]
        assert [p.probability for p in answer] == pytest.approx([p.probability for p in alone], abs=1e-5)


def test_photos_are_taken_only_as_they_are_needed(predictor: BreedPredictor) -> None:
    taken: list[int] = []

    def photos() -> Any:
        for number in range(10):
            taken.append(number)
            yield noise(40, 40, seed=number)

    next(predictor.predict_many(photos(), batch_size=2))
    assert taken == [0, 1]


def test_no_photos_have_no_answers(predictor: BreedPredictor) -> None:
    assert list(predictor.predict_many([])) == []


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.randn(3, 40, 40), "not yet normalised"),
        (torch.rand(3, 40, 40) * 255, "not yet normalised"),
        (torch.full((3, 40, 40), float("nan")), r"in \[0, 1\]"),
        (torch.zeros(40, 40, 3, dtype=torch.uint8), r"shape \(3, height, width\), got \(40, 40, 3\)"),
        (torch.zeros(1, 3, 40, 40), r"got \(1, 3, 40, 40\)"),
        (torch.zeros(40, 40), r"got \(40, 40\)"),
        (torch.zeros(3, 0, 0), r"got \(3, 0, 0\)"),
        (torch.zeros(3, 40, 40, dtype=torch.int64), "got torch.int64"),
        (torch.zeros(3, 40, 40, dtype=torch.bool), "got torch.bool"),
    ],
    # A tensor's own text would be another one in every test process.
    ids=lambda value: value if isinstance(value, str) else f"{value.dtype}{tuple(value.shape)}",
)
def test_a_tensor_that_is_no_image_is_refused(predictor: BreedPredictor, tensor: Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        predictor.predict(tensor)


def test_what_is_no_photo_is_refused_by_name(predictor: BreedPredictor, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no photo")
    for photo in (tmp_path / "notes.jpg", str(tmp_path / "missing.jpg")):
        with pytest.raises(DataError, match=Path(photo).name):
            predictor.predict(photo)
    with pytest.raises(DataError, match="text"):
        predictor.predict(b"no photo")


def test_a_photo_of_a_telephone_is_turned_upright_first(predictor: BreedPredictor, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(64, 48, seed=1).save(tmp_path / "a.jpg", exif=exif, quality=95)
    upright = open_photo(tmp_path / "a.jpg")
    assert upright.size == (48, 64)
    lying = Image.open(tmp_path / "a.jpg")
    answers = [predictor.predict(photo) for photo in (tmp_path / "a.jpg", lying, upright, pixels(upright))]
    assert all(answer == answers[0] for answer in answers)
    assert predictor.predict(pixels(lying)) != answers[0]


def test_a_missing_model_and_an_unknown_device_are_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="OUTPUT_DIR/model"):
        BreedPredictor.load(tmp_path)
    for device in ("gpu", "cuda:99", ""):
        with pytest.raises(ConfigError, match="Expected device"):
            BreedPredictor.load(model, device)


def test_the_class_names_are_those_of_training(predictor: BreedPredictor) -> None:
    assert predictor.class_names == CLASS_NAMES


def test_the_package_offers_predictor_and_prediction_by_name() -> None:
    assert (dogbreed.BreedPredictor, dogbreed.Prediction) == (BreedPredictor, Prediction)
    with pytest.raises(AttributeError, match="no attribute 'CatPredictor'"):
        _ = dogbreed.CatPredictor
