from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor
from torchvision import models
from torchvision.transforms import v2

from dogbreed.data.randomness import seeded
from dogbreed.data.transforms import (
    AUGMENTATIONS,
    Preprocessing,
    evaluation_transform,
    normalise,
    training_transform,
)
from dogbreed.errors import ConfigError
from dogbreed.models.backbones import backbone_preprocessing
from tests.data.photo_folders import noise

SIZES = [(503, 371), (371, 503), (224, 224), (257, 1001), (97, 60), (300, 299)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "efficientnet_b0"])
def test_a_photo_becomes_what_the_weights_own_transforms_make_of_it(name: str, size: tuple[int, int]) -> None:
    preprocessing, photo = backbone_preprocessing(name), noise(*size, seed=1)
    own = normalise(evaluation_transform(preprocessing)(photo).as_subclass(Tensor), preprocessing)
    assert torch.equal(own, models.get_model_weights(name).DEFAULT.transforms()(photo))


def test_evaluation_has_no_random_part() -> None:
    transform, photo = evaluation_transform(Preprocessing()), noise(300, 200, seed=1)
    assert torch.equal(transform(photo), transform(photo))


@pytest.mark.parametrize("augmentation", ["none", *AUGMENTATIONS])
@pytest.mark.parametrize("size", [(60, 40), (31, 200)], ids=str)
def test_every_augmentation_gives_bytes_of_the_size_of_evaluation(augmentation: str, size: tuple[int, int]) -> None:
    preprocessing = Preprocessing(36, 32)
    image = training_transform(preprocessing, augmentation)(noise(*size))
    assert (image.shape, image.dtype) == ((3, 32, 32), torch.uint8)
    assert image.shape == evaluation_transform(preprocessing)(noise(*size)).shape


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_an_augmentation_is_a_function_of_the_seed(augmentation: str) -> None:
    transform, photo = training_transform(Preprocessing(36, 32), augmentation), noise(60, 40, seed=1)

    def image(seed: int) -> Tensor:
        with seeded(seed):
            return transform(photo).as_subclass(Tensor)

    assert torch.equal(image(1), image(1))
    assert any(not torch.equal(image(1), image(seed)) for seed in (2, 3))


def test_no_augmentation_is_the_evaluation_itself() -> None:
    photo = noise(60, 40, seed=1)
    assert torch.equal(training_transform(Preprocessing(), "none")(photo), evaluation_transform(Preprocessing())(photo))


def test_an_unknown_augmentation_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="one of none, light, standard, strong, got 'heavy'"):
        training_transform(Preprocessing(), "heavy")


def test_another_size_keeps_the_share_of_the_shorter_side() -> None:
    assert Preprocessing(256, 224).at_size(112) == Preprocessing(128, 112)
    assert Preprocessing(232, 224).at_size(32) == Preprocessing(33, 32)
    assert Preprocessing(224, 224, interpolation="bicubic").at_size(1) == Preprocessing(1, 1, interpolation="bicubic")


@pytest.mark.parametrize(("resize", "crop"), [(223, 224), (10, 0), (-1, -1)])
def test_a_crop_that_is_empty_or_larger_than_the_photo_is_refused(resize: int, crop: int) -> None:
    with pytest.raises(ConfigError, match=f"got .*{crop}"):
        Preprocessing(resize, crop)


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "timm/test_vit"])
def test_preprocessing_survives_json(name: str) -> None:
    preprocessing = backbone_preprocessing(name)
    assert Preprocessing.from_dict(json.loads(json.dumps(preprocessing.to_dict()))) == preprocessing


def test_normalising_is_exact_on_every_byte_and_leaves_its_input_alone() -> None:
    preprocessing = Preprocessing()
    images = torch.arange(256, dtype=torch.uint8).expand(2, 3, 1, 256)
    for given in (images, images.float()):
        before = given.clone()
        expected = v2.functional.normalize(given.float() / 255, list(preprocessing.mean), list(preprocessing.std))
        assert torch.equal(normalise(given, preprocessing), expected)
        assert torch.equal(given, before)
