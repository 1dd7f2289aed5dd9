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
from dogbreed.artifacts import save_artifact
from dogbreed.data.photos import open_photo
from dogbreed.data.transforms import evaluation_transform, normalise
from dogbreed.errors import ArtifactError, ConfigError, DataError
from dogbreed.explaining.grad_cam import grad_cam
from dogbreed.explaining.overlay import cropped, overlay
from dogbreed.predictor import BreedPredictor, Prediction
from tests.data.photo_folders import noise
from tests.trained_models import ARCHITECTURE, CLASS_NAMES, save_small, small_network

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
        assert prediction.probability == pytest.approx(probabilities[prediction.index].item(), abs=1e-6)
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


def calibrated(folder: Path, **options: Any) -> BreedPredictor:
    save_small(folder, calibration={"temperature": 2.5})
    return BreedPredictor.load(folder, **options)


def images(predictor: BreedPredictor, batch: int = 4) -> Tensor:
    transform = evaluation_transform(predictor.artifact.preprocessing)
    return torch.stack([transform(noise(40, 40, seed=seed)).as_subclass(Tensor) for seed in range(batch)])


def test_calibrated_probabilities_are_those_of_the_logits_divided_by_the_temperature_of_the_model(
    tmp_path: Path,
) -> None:
    predictor, batch = calibrated(tmp_path), images(calibrated(tmp_path))
    assert predictor.artifact.temperature == 2.5
    torch.testing.assert_close(predictor.probabilities(batch), (predictor.logits(batch) / 2.5).softmax(1))
    plain = BreedPredictor.load(tmp_path, calibrate=False)
    assert torch.equal(plain.logits(batch), predictor.logits(batch))
    torch.testing.assert_close(plain.probabilities(batch), predictor.logits(batch).softmax(1))
    assert [p.name for p in plain.predict(noise(seed=1))] == [p.name for p in predictor.predict(noise(seed=1))]


def test_a_model_without_calibration_is_asked_as_it_is(model: Path) -> None:
    predictor = BreedPredictor.load(model)
    assert predictor.artifact.temperature == 1.0
    batch = images(predictor)
    torch.testing.assert_close(predictor.probabilities(batch), predictor.logits(batch).softmax(1))


@pytest.mark.parametrize("calibrate", [True, False])
def test_test_time_augmentation_is_the_mean_of_the_probabilities_of_a_photo_and_its_mirror_image(
    tmp_path: Path, calibrate: bool
) -> None:
    predictor, plain = calibrated(tmp_path, calibrate=calibrate, tta=True), calibrated(tmp_path, calibrate=calibrate)
    batch = images(predictor)
    expected = (plain.probabilities(batch) + plain.probabilities(batch.flip(3))) / 2
    assert torch.allclose(predictor.probabilities(batch), expected, atol=1e-7)
    assert not torch.allclose(predictor.probabilities(batch), plain.probabilities(batch), atol=1e-5)
    assert torch.equal(predictor.logits(batch), plain.logits(batch))


def test_with_test_time_augmentation_a_photo_and_its_mirror_image_have_the_same_answer(tmp_path: Path) -> None:
    predictor, photo = calibrated(tmp_path, tta=True), noise(64, 32, seed=1)
    one, other = predictor.predict(photo), predictor.predict(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert [p.name for p in one] == [p.name for p in other]
    assert [p.probability for p in one] == pytest.approx([p.probability for p in other], abs=1e-6)


def test_an_answer_is_made_of_the_probabilities(tmp_path: Path) -> None:
    predictor = calibrated(tmp_path, tta=True)
    shares = predictor.probabilities(images(predictor, 1))[0].tolist()
    assert {p.index: p.probability for p in predictor.predict(noise(40, 40, seed=0))} == dict(enumerate(shares))


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> BreedPredictor:
    """Sees enough of a photo to have a map of it."""
    folder, changes = tmp_path_factory.mktemp("larger"), {"hidden": [], "image_size": 64}
    network = small_network(**changes)
    save_artifact(folder, network, architecture={**ARCHITECTURE, **changes}, class_names=CLASS_NAMES)
    return BreedPredictor.load(folder)


def test_an_explanation_lies_over_what_the_network_sees(larger: BreedPredictor) -> None:
    photo, preprocessing = noise(64, 40, seed=1), larger.artifact.preprocessing
    seen, answer = cropped(photo, preprocessing), larger.predict(photo)[0].index
    maps = grad_cam(larger.artifact.network, normalise(pixels(seen)[None], preprocessing), torch.tensor([answer]))
    assert maps.max() == 1
    assert larger.explain(photo) == overlay(seen, maps[0])
    assert larger.explain(photo).size == (64, 64)


def test_an_explanation_is_for_the_most_probable_breed_unless_another_is_named(larger: BreedPredictor) -> None:
    photo = noise(64, 40, seed=1)
    explanations = [larger.explain(photo, index) for index in range(3)]
    assert larger.explain(photo) == explanations[larger.predict(photo)[0].index]
    assert any(one != explanations[0] for one in explanations)


def test_every_form_of_a_photo_has_the_same_explanation_in_any_mode_of_the_caller(larger: BreedPredictor) -> None:
    photo = noise(64, 40, seed=1)
    expected = larger.explain(photo)
    assert larger.explain(pixels(photo)) == expected
    with torch.inference_mode():
        assert larger.explain(photo) == expected


@pytest.mark.parametrize("index", [-1, 3, 1000])
def test_an_explanation_for_no_breed_is_refused(predictor: BreedPredictor, index: int) -> None:
    with pytest.raises(ConfigError, match=rf"^Expected index to be from 0 to 2, got {index}\.$"):
        predictor.explain(noise(), index)


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
