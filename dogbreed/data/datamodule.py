"""The LightningDataModule: a checked folder of photos as batches for training, validation and test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader
from typing_extensions import override

from dogbreed.data.check import CheckedFolder, check_folder
from dogbreed.data.dataset import PhotoDataset
from dogbreed.data.folder import PhotoFolder
from dogbreed.data.loading import default_workers, loader_settings
from dogbreed.data.mixing import mixing_transform
from dogbreed.data.order import EpochOrder, ResumableLoader
from dogbreed.data.randomness import derived_seed, seeded
from dogbreed.data.transforms import Preprocessing, evaluation_transform, normalise, training_transform
from dogbreed.errors import ConfigError, DataError


class DogBreedDataModule(LightningDataModule):
    """Photos of a folder, checked, split, and prepared as the model attached to the trainer expects them.

    The folder holds `train/`, `valid/` or `val/`, and `test/`, each with a folder for each class; or just a folder
    for each class, which is then split by `seed`. Photos that cannot be used are left out and named by `checked`.

    Args:
        root: of the photos.
        source: puts the photos at `root` where they are not there yet.
        batch_size: photos a step and device.
        num_workers: processes that open photos; None for half of the processor's cores, 8 at most.
        augmentation: "none", "light", "standard" or "strong", for training only.
        mixing: "mixup", "cutmix", "both" or None, for training only.
        preprocessing: used while no trainer is attached; with one, it is always the model's own.
        seed: of the split, the order of the photos and their augmentation.
        cache_dir: remembers the check of a folder, so that the next run does not open every photo again.
        synthetic: the photos are drawn: figures say nothing about photographs.

    Raises:
        ConfigError: a value out of range, or an unknown name.
        DataError: no photos, or photos whose figures would lie; from `prepare_data` and `setup`.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        source: Callable[[Path], Path] | None = None,
        batch_size: int = 32,
        num_workers: int | None = None,
        augmentation: str = "light",
        mixing: str | None = None,
        preprocessing: Preprocessing | None = None,
        seed: int = 42,
        cache_dir: str | Path | None = None,
        synthetic: bool = False,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ConfigError(f"Expected data.batch_size to be at least 1, got {batch_size}.")
        if num_workers is not None and num_workers < 0:
            raise ConfigError(f"Expected data.num_workers to be at least 0, or null, got {num_workers}.")
        # Unknown names are told before an hour of work, not at the first batch.
        training_transform(Preprocessing(), augmentation)
        mixing_transform(mixing, num_classes=2)
        self.root = Path(root).expanduser()
        self.source = source
        self.batch_size = batch_size
        self.num_workers = default_workers() if num_workers is None else num_workers
        self.augmentation = augmentation
        self.mixing = mixing
        self.seed = seed
        self.cache_dir = None if cache_dir is None else Path(cache_dir).expanduser()
        self.synthetic = synthetic
        self._preprocessing = preprocessing or Preprocessing()
        self._checked: CheckedFolder | None = None

    @property
    def preprocessing(self) -> Preprocessing:
        """The model's own, where one is attached: another one would be training on what it does not expect."""
        module = getattr(self.trainer, "lightning_module", None)
        return getattr(module, "preprocessing", None) or self._preprocessing

    @property
    def checked(self) -> CheckedFolder:
        """What the folder holds and what the check found; computed at the first call.

        Raises:
            DataError: the folder cannot be trained on.
        """
        if self._checked is None:
            self._checked = check_folder(self.root, seed=self.seed, cache_dir=self.cache_dir)
            if self._checked.refusals:
                reasons = " ".join(finding.message for finding in self._checked.refusals[:3])
                raise DataError(f"{reasons} For all of it: python -m dogbreed.data.check {self.root}")
        return self._checked

    @property
    def folder(self) -> PhotoFolder:
        """The photos that are used, by split."""
        return self.checked.folder

    @property
    def class_names(self) -> tuple[str, ...]:
        """The breeds; a target is a position in them."""
        return self.folder.class_names

    @property
    def num_classes(self) -> int:
        """How many breeds the folder has."""
        return len(self.class_names)

    @override
    def prepare_data(self) -> None:
        if self.source is not None:
            self.source(self.root)

    @override
    def setup(self, stage: str | None = None) -> None:
        _ = self.checked

    @override
    def train_dataloader(self) -> ResumableLoader:
        transform = training_transform(self.preprocessing, self.augmentation)
        dataset = PhotoDataset(self.folder.splits["train"], transform)
        trainer = self.trainer
        rank, world_size = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        order = EpochOrder(len(dataset), seed=self.seed, rank=rank, world_size=world_size)
        # A last batch of one photo has no variance: batch norm would fail on it.
        drop_last = len(order) % self.batch_size == 1 and len(order) > 1
        position = trainer.fit_loop.epoch_loop.batch_progress.current if trainer else None
        return ResumableLoader(
            dataset,
            sampler=order,
            position=lambda: position.completed if position else 0,
            drop_last=drop_last,
            **self._loading(),
        )

    @override
    def val_dataloader(self) -> DataLoader[Any]:
        return self._evaluation_loader("val")

    @override
    def test_dataloader(self) -> DataLoader[Any]:
        return self._evaluation_loader("test")

    def _evaluation_loader(self, split: str) -> DataLoader[Any]:
        dataset = PhotoDataset(self.folder.splits[split], evaluation_transform(self.preprocessing))
        return DataLoader(dataset, shuffle=False, **self._loading())

    def _loading(self) -> dict[str, Any]:
        return loader_settings(self.batch_size, self.num_workers, self.seed)

    @override
    def on_after_batch_transfer(self, batch: tuple[Tensor, Tensor], dataloader_idx: int) -> tuple[Tensor, Tensor]:
        # Photos travel as bytes, a quarter of what floats take, and are normalised on the device.
        images, target = normalise(batch[0], self.preprocessing), batch[1]
        mixing = mixing_transform(self.mixing, self.num_classes)
        if mixing is None or self.trainer is None or not self.trainer.training:
            return images, target
        place = self.trainer.current_epoch, self.trainer.fit_loop.epoch_loop.batch_progress.current.ready
        with seeded(derived_seed(self.seed, "mixing", *place)):
            return mixing(images, target)
