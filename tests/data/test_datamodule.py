from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.loading import default_workers
from dogbreed.data.photos import open_photo
from dogbreed.data.transforms import Preprocessing, evaluation_transform, normalise
from dogbreed.errors import ConfigError, DataError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.train import quiet
from dogbreed.training.run import class_weights
from tests.drawn_photos import draw_folder

SMALL = Preprocessing(36, 32)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"))


def data_of(photos: Path, **settings: Any) -> DogBreedDataModule:
    return DogBreedDataModule(photos, **{"batch_size": 8, "num_workers": 0, "preprocessing": SMALL, **settings})


def test_batches_are_bytes_of_the_size_that_the_model_sees(photos: Path) -> None:
    data = data_of(photos)
    for loader, batches in ((data.train_dataloader(), 5), (data.val_dataloader(), 2), (data.test_dataloader(), 2)):
        images, target = next(iter(loader))
        assert (images.shape, images.dtype, type(images)) == ((8, 3, 32, 32), torch.uint8, Tensor)
        assert (target.shape, target.dtype) == ((8,), torch.int64)
        assert len(loader) == batches


def test_class_names_come_from_the_folders_and_targets_are_positions_in_them(photos: Path) -> None:
    data = data_of(photos)
    assert data.num_classes == 4
    assert all(name.startswith("Synthetic_") for name in data.class_names)
    assert [target for _, targets in data.test_dataloader() for target in targets.tolist()] == [0] * 3 + [1] * 3 + [
        2
    ] * 3 + [3] * 3


def test_evaluation_shows_every_photo_once_as_it_is(photos: Path) -> None:
    data = data_of(photos, augmentation="strong", mixing="both")
    shown = torch.cat([images for images, _ in data.test_dataloader()])
    expected = [evaluation_transform(SMALL)(open_photo(path)) for path in data.folder.splits["test"].paths]
    assert torch.equal(shown, torch.stack(expected).as_subclass(Tensor))


@pytest.mark.parametrize("augmentation", ["light", "strong"])
def test_worker_processes_change_nothing(photos: Path, augmentation: str) -> None:
    def batches(num_workers: int) -> list[Tensor]:
        loader = data_of(photos, augmentation=augmentation, num_workers=num_workers).train_dataloader()
        return [tensor for _ in range(2) for batch in loader for tensor in batch]

    assert all(torch.equal(one, other) for one, other in zip(batches(0), batches(2), strict=True))


def test_a_single_folder_of_classes_is_split_by_the_seed(photos: Path) -> None:
    data = data_of(photos / "train", seed=1)
    sizes = {name: len(split) for name, split in data.folder.splits.items()}
    assert sum(sizes.values()) == 40
    assert all(sizes[name] >= 4 for name in ("train", "val", "test"))
    paths = [path for split in data.folder.splits.values() for path in split.paths]
    assert len(set(paths)) == 40
    assert data_of(photos / "train", seed=1).folder == data.folder
    assert data_of(photos / "train", seed=2).folder != data.folder


def test_balanced_class_weights_are_those_of_the_training_split(tmp_path: Path) -> None:
    data = data_of(draw_folder(tmp_path))
    for path in sorted(path for path, t in zip(*vars(data.folder.splits["train"]).values(), strict=True) if t == 0)[5:]:
        path.unlink()
    assert class_weights("balanced", data_of(tmp_path)) == pytest.approx([35 / 20, 35 / 40, 35 / 40, 35 / 40])
    assert class_weights(None, data_of(tmp_path)) is None


def test_without_a_trainer_the_preprocessing_is_the_one_given_or_that_of_imagenet(photos: Path) -> None:
    assert data_of(photos).preprocessing == SMALL
    assert data_of(photos, preprocessing=None).preprocessing == Preprocessing()


def test_a_batch_is_normalised_after_its_transfer(photos: Path) -> None:
    data = data_of(photos)
    images, target = next(iter(data.val_dataloader()))
    prepared, same = data.on_after_batch_transfer((images, target), 0)
    assert torch.equal(prepared, normalise(images, SMALL))
    assert torch.equal(same, target)


def test_targets_are_blended_in_training_only_and_the_model_says_what_it_expects(photos: Path, tmp_path: Path) -> None:
    seen: dict[str, list[Tensor]] = {"train": [], "val": []}

    class Watching(BreedClassifier):
        def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
            seen["train"] += batch
            return super().training_step(batch, batch_idx)

        def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
            seen["val"] += batch
            super().validation_step(batch, batch_idx)

    quiet()
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        default_root_dir=tmp_path,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    module: LightningModule = Watching(4, backbone="shufflenet_v2_x0_5", weights=None, image_size=40)
    trainer.fit(module, data_of(photos, mixing="mixup"))
    assert {tensor.shape[-1] for tensor in seen["train"] + seen["val"] if tensor.ndim == 4} == {40}
    blended = [tensor for tensor in seen["train"] if tensor.ndim == 2]
    assert len(blended) == 5
    assert any(((target > 0) & (target < 1)).any() for target in blended)
    assert all(torch.allclose(target.sum(1), torch.ones(8)) for target in blended)
    assert all(tensor.ndim == 1 for tensor in seen["val"][1::2])


def test_a_last_batch_of_one_photo_is_left_out_of_training_only(photos: Path) -> None:
    data = data_of(photos, batch_size=13)
    assert [len(target) for _, target in data.train_dataloader()] == [13, 13, 13]
    assert [len(target) for _, target in data_of(photos, batch_size=11).test_dataloader()] == [11, 1]


def test_the_source_is_asked_for_photos_when_they_are_prepared(tmp_path: Path) -> None:
    data = data_of(tmp_path / "drawn", source=lambda root: draw_folder(root))
    data.prepare_data()
    data.setup()
    assert len(data.folder.splits["train"]) == 40


def test_a_folder_that_cannot_be_trained_on_is_refused_with_the_command_that_tells_all(tmp_path: Path) -> None:
    (tmp_path / "train" / "only").mkdir(parents=True)
    Image.new("RGB", (40, 40)).save(tmp_path / "train" / "only" / "a.png")
    with pytest.raises(DataError, match=r"python -m dogbreed\.data\.check"):
        data_of(tmp_path).setup()


@pytest.mark.parametrize(
    ("name", "value"), [("batch_size", 0), ("num_workers", -1), ("augmentation", "heavy"), ("mixing", "blend")]
)
def test_a_setting_out_of_range_is_refused_at_once(name: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"data.{name}.*got '?{value}"):
        data_of(tmp_path, **{name: value})


def test_half_of_the_cores_open_photos() -> None:
    assert 0 <= default_workers() <= 8
