"""Faults met in public attempts at this job: each is tried here, and cannot be committed or is named.

What happens to a photo on its way to the network.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.testing import assert_close
from torchvision import models

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.photos import open_photo
from dogbreed.data.transforms import Preprocessing, evaluation_transform, normalise
from dogbreed.models.backbones import backbone_preprocessing
from dogbreed.models.classifier import BreedClassifier
from dogbreed.predictor import BreedPredictor
from dogbreed.train import quiet
from dogbreed.training.trainer import build_trainer
from tests.data.photo_folders import noise
from tests.public_faults.conftest import WatchedRun
from tests.public_faults.tiny_run import IMAGE_SIZE, Seen


def given_to_the_network(predictor: BreedPredictor, photos: list[Path] | list[Image.Image]) -> Tensor:
    seen: list[Tensor] = []
    handle = predictor.artifact.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    list(predictor.predict_many(photos))
    handle.remove()
    return torch.cat(seen)


# fault 3
def test_the_data_module_prepares_photos_as_the_weights_expect_whatever_it_was_told(
    photos: Path, tmp_path: Path
) -> None:
    quiet()
    seen = Seen()
    wrong = Preprocessing(64, 64, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    data = DogBreedDataModule(photos, num_workers=0, preprocessing=wrong)
    module = BreedClassifier(data.num_classes, backbone="shufflenet_v2_x0_5", weights=None)
    trainer = build_trainer(tmp_path, accelerator="cpu", precision="32-true", callbacks=[seen])
    trainer.validate(module, data, verbose=False)
    preset = models.ShuffleNet_V2_X0_5_Weights.DEFAULT.transforms()
    expected = torch.stack([preset(open_photo(path)) for path in data.folder.splits["val"].paths])
    # A step of one in 255 would be 0.017.
    assert_close(seen.images("val"), expected, rtol=0, atol=1e-6)


# fault 3
def test_every_backbone_of_torchvision_sees_what_its_published_weights_saw() -> None:
    photo = noise(400, 360, seed=0)
    for name in models.list_models(module=models):
        preprocessing = backbone_preprocessing(name)
        preset = models.get_model_weights(name).DEFAULT.transforms()
        image = normalise(evaluation_transform(preprocessing)(photo), preprocessing).as_subclass(Tensor)
        assert_close(image, preset(photo), rtol=0, atol=1e-6, msg=name)


# fault 4
@pytest.mark.parametrize("loader", ["val_dataloader", "test_dataloader"])
def test_two_passes_over_an_evaluation_split_see_the_same_pixels(photos: Path, loader: str) -> None:
    data = DogBreedDataModule(photos, num_workers=0, augmentation="strong")
    first, second = (torch.cat([images for images, _ in getattr(data, loader)()]) for _ in range(2))
    assert torch.equal(first, second)


# fault 4
def test_only_training_photos_are_cropped_at_random(photos: Path) -> None:
    data = DogBreedDataModule(photos, num_workers=0, augmentation="strong")
    dataset = data.train_dataloader().dataset
    assert not torch.equal(dataset[0, 1][0], dataset[0, 2][0])


# fault 4
def test_a_photo_that_is_asked_about_twice_gets_one_answer(watched: WatchedRun) -> None:
    predictor = BreedPredictor.load(watched.run.output_dir / "model")
    photo = noise(90, 60, seed=1)
    assert predictor.predict(photo) == predictor.predict(photo)
    assert torch.equal(given_to_the_network(predictor, [photo]), given_to_the_network(predictor, [photo]))


# fault 5
@pytest.mark.parametrize("split", ["val", "test"])
def test_the_predictor_sees_the_tensors_that_the_run_was_measured_on(watched: WatchedRun, split: str) -> None:
    predictor = BreedPredictor.load(watched.run.output_dir / "model")
    seen = given_to_the_network(predictor, list(watched.run.data.folder.splits[split].paths))
    assert seen.shape[1:] == (3, IMAGE_SIZE, IMAGE_SIZE)
    assert torch.equal(seen, watched.seen.images(split))


# fault 6
@pytest.mark.parametrize("size", [(400, 200), (200, 400)])
def test_a_circle_in_a_long_photo_stays_a_circle(watched: WatchedRun, size: tuple[int, int]) -> None:
    photo = Image.new("RGB", size, "black")
    x, y = size[0] // 2, size[1] // 2
    ImageDraw.Draw(photo).ellipse((x - 60, y - 60, x + 60, y + 60), fill="white")
    predictor = BreedPredictor.load(watched.run.output_dir / "model")
    white = given_to_the_network(predictor, [photo])[0, 0] > 0
    height, width = (int(white.any(dim).sum()) for dim in (1, 0))
    assert height == width
    assert 0.5 * IMAGE_SIZE < width < 0.8 * IMAGE_SIZE
