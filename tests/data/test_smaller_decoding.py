"""A large JPEG is decoded no further than evaluation needs, and alike wherever it is evaluated."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from PIL import ExifTags, Image
from torch import Tensor

from dogbreed.data.dataset import PhotoDataset
from dogbreed.data.folder import Split
from dogbreed.data.photo_views import MIRRORED, PLAIN, PhotoView, ViewDataset
from dogbreed.data.photos import open_photo
from dogbreed.data.prepared import open_prepared
from dogbreed.data.prepared_dataset import PreparedDataset
from dogbreed.data.randomness import seeded
from dogbreed.data.transforms import Preprocessing, evaluation_transform, smallest_side, training_transform
from dogbreed.predictor import BreedPredictor
from dogbreed.serving.handler import input_fn, model_fn, prepare
from dogbreed.serving.settings import Settings
from tests.data.photo_folders import noise
from tests.trained_models import save_small

SMALL = Preprocessing(36, 32)
# What the decoder is told of the camera's orientation, and the photo's size when it is upright.
TURNED = {1: (403, 301), 6: (301, 403)}


def smooth(width: int, height: int) -> Image.Image:
    return noise(width // 10, height // 10, seed=1).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module", params=TURNED, ids=["upright", "turned"])
def photo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven times as large as it is resized to, and of no even size."""
    path, exif = tmp_path_factory.mktemp("photos") / f"{request.param}.jpg", Image.Exif()
    exif[ExifTags.Base.Orientation] = request.param
    smooth(403, 301).save(path, quality=90, exif=exif)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact") / "model"
    save_small(folder)
    return folder


def evaluated(path: Path, preprocessing: Preprocessing = SMALL) -> Tensor:
    transform = evaluation_transform(preprocessing)
    return transform(open_photo(path, smallest_side=smallest_side(transform))).as_subclass(Tensor)


def split_of(path: Path) -> Split:
    return Split((path,), (0,))


def content_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_large_photo_comes_smaller_but_not_below_twice_what_it_is_resized_to(photo: Path) -> None:
    opened = open_photo(photo, smallest_side=smallest_side(evaluation_transform(SMALL)))
    assert min(opened.size) == 76  # a quarter of 301, and at least twice 36
    assert (opened.width > opened.height) == (photo.stem == "1")


def test_the_smaller_photo_looks_the_same(tmp_path: Path) -> None:
    smooth(400, 304).save(tmp_path / "a.jpg", quality=90)
    whole = evaluation_transform(SMALL)(open_photo(tmp_path / "a.jpg")).as_subclass(Tensor)
    difference = (evaluated(tmp_path / "a.jpg").float() - whole.float()).abs()
    # Of 255. Sides that are no multiples of the scale would put it up to half a pixel of the small picture elsewhere.
    assert 0 < difference.mean() < 1
    assert difference.max() < 10


def test_a_photo_of_the_usual_size_is_decoded_whole(tmp_path: Path) -> None:
    smooth(140, 130).save(tmp_path / "a.jpg")
    assert open_photo(tmp_path / "a.jpg", smallest_side=72).size == (140, 130)


def test_what_is_evaluated_is_the_same_to_the_last_bit_wherever_that_is(photo: Path, tmp_path: Path) -> None:
    expected, transform = evaluated(photo), evaluation_transform(SMALL)
    view = ViewDataset([PhotoView(photo, "", PLAIN), PhotoView(photo, "", MIRRORED)], SMALL)
    prepared = open_prepared(tmp_path, SMALL, "raw")
    prepared.prepare({content_of(photo): photo})
    row = prepared.get(content_of(photo))
    assert row is not None
    assert (row.photo_width, row.photo_height) == TURNED[int(photo.stem)]
    seen = {
        "a split": PhotoDataset(split_of(photo), transform)[0][0],
        "training without augmentation": PhotoDataset(split_of(photo), training_transform(SMALL, "none"))[0, 7][0],
        "a view": view[0][1],
        "a mirrored view": view[1][1],
        "a prepared photo": PreparedDataset(split_of(photo), transform, prepared, [content_of(photo)])[0][0],
    }
    for name, image in seen.items():
        assert isinstance(image, Tensor)
        assert torch.equal(image.flip(-1) if "mirrored" in name else image, expected), name


def test_random_crops_are_cut_out_of_all_pixels(photo: Path) -> None:
    transform = training_transform(SMALL, "strong")
    assert smallest_side(transform) is None
    with seeded(7):
        expected = transform(open_photo(photo)).as_subclass(Tensor)
    view = ViewDataset([PhotoView(photo, "", "strong/7")], SMALL)[0][1]
    assert isinstance(view, Tensor)
    assert torch.equal(view, expected)
    assert torch.equal(PhotoDataset(split_of(photo), transform)[0, 7][0], expected)


def test_an_endpoint_decodes_a_photo_as_training_evaluates_it(
    photo: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dogbreed.serving.handler.process_settings", lambda: Settings(backend="float32"))
    predictor = model_fn(str(model))
    preprocessing = predictor.artifact.preprocessing
    expected = predictor.logits(evaluated(photo, preprocessing)[None])
    images = prepare(input_fn(photo.read_bytes(), "image/jpeg"), predictor)
    assert torch.equal(predictor.network_logits(images), expected)
    assert torch.equal(predictor.prepared([predictor.opened(photo)]), images)
    by_path, by_bytes = predictor.predict(photo), predictor.predict(photo.read_bytes())
    assert by_path == by_bytes
    best = expected.softmax(1).max().item()
    assert by_path[0].probability == pytest.approx(best, abs=1e-6)


def test_an_image_of_the_callers_keeps_its_size(photo: Path, model: Path) -> None:
    with Image.open(photo) as image:
        BreedPredictor.load(model).predict(image)
        assert image.size == (403, 301)
