"""The LightningDataModule: a checked folder of photos as batches for training, validation and test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from typing_extensions import override

from dogbreed.data.check import CheckedFolder, usable_folder
from dogbreed.data.dataset import PhotoDataset
from dogbreed.data.feature_batches import FeatureDataset, Rows, as_they_are
from dogbreed.data.folder import PhotoFolder, Split
from dogbreed.data.loading import default_workers, loader_settings
from dogbreed.data.mixing import mixing_transform
from dogbreed.data.order import EpochOrder, ResumableLoader, photo_seed
from dogbreed.data.photo_views import PLAIN, PhotoView, augmented
from dogbreed.data.prepared import PreparedPhotos
from dogbreed.data.prepared_dataset import PreparedDataset
from dogbreed.data.randomness import derived_seed, seeded
from dogbreed.data.transforms import Preprocessing, evaluation_transform, normalise, training_transform
from dogbreed.errors import ConfigError


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
        views: how many augmented views there are of a training photo, which take turns; None for a new one in every
            epoch, or, where what a frozen part says of photos is kept, for the photo as evaluation sees it.
        prepare: whether `dogbreed.training.run.train` decodes each photo once and keeps it, where photos and not
            features are trained on; None for where there is room and at least four epochs repay it. Crops then come
            from photos that are as small as evaluation sees them.
        preprocessing: used while no trainer is attached; with one, it is always the model's own.
        seed: of the split, the order of the photos and their augmentation.
        cache_dir: remembers the check of a folder, so that the next run does not open every photo again, what
            frozen networks said of photos, and prepared photos.
        cache_gib: what the latter two may take; what was not used for the longest time makes room.
        synthetic: the photos are drawn: figures say nothing about photographs.
        checked: the folder, where another data module has checked it; its splits are kept, whatever the seed.

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
        views: int | None = None,
        prepare: bool | None = None,
        preprocessing: Preprocessing | None = None,
        seed: int = 42,
        cache_dir: str | Path | None = None,
        cache_gib: float = 20.0,
        synthetic: bool = False,
        checked: CheckedFolder | None = None,
    ) -> None:
        super().__init__()
        if batch_size < 1:
            raise ConfigError(f"Expected data.batch_size to be at least 1, got {batch_size}.")
        if num_workers is not None and num_workers < 0:
            raise ConfigError(f"Expected data.num_workers to be at least 0, or null, got {num_workers}.")
        if views is not None and views < 1:
            raise ConfigError(f"Expected data.views to be at least 1, or null, got {views}.")
        # Unknown names are told before an hour of work, not at the first batch.
        training_transform(Preprocessing(), augmentation)
        mixing_transform(mixing, num_classes=2)
        self.root = Path(root).expanduser()
        self.source = source
        self.batch_size = batch_size
        self.num_workers = default_workers() if num_workers is None else num_workers
        self.augmentation = augmentation
        self.mixing = mixing
        self.views = views
        self.prepare = prepare
        self.seed = seed
        self.cache_dir = None if cache_dir is None else Path(cache_dir).expanduser()
        self.cache_gib = cache_gib
        self.synthetic = synthetic
        # What a module that takes features is given; see `dogbreed.training.features`.
        self.features: Rows | None = None
        # Where photos are read from, if not from their files; see `dogbreed.training.preparation`.
        self.prepared: PreparedPhotos | None = None
        self._preprocessing = preprocessing or Preprocessing()
        self._checked = checked

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
            self._checked = usable_folder(self.root, seed=self.seed, cache_dir=self.cache_dir)
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

    def wanted_views(self, split: str) -> Iterator[PhotoView]:
        """Every view of the photos of a split that an epoch may ask for."""
        chosen = self.folder.splits[split]
        for turn in range(self.views or 1) if split == "train" else [0]:
            for index in range(len(chosen)):
                yield self._view(chosen, index, photo_seed(self.seed, turn, index) if split == "train" else None)

    def _view(self, split: Split, index: int, seed: int | None) -> PhotoView:
        path = split.paths[index]
        view = PLAIN if seed is None or self.views is None else augmented(self.augmentation, seed)
        return PhotoView(path, self.checked.contents[path], view)

    @override
    def train_dataloader(self) -> ResumableLoader:
        dataset = self._dataset("train", training_transform(self.preprocessing, self.augmentation))
        trainer, size = self.trainer, len(self.folder.splits["train"])
        rank, world_size = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        order = EpochOrder(size, seed=self.seed, rank=rank, world_size=world_size, views=self.views)
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
        dataset = self._dataset(split, evaluation_transform(self.preprocessing))
        return DataLoader(dataset, shuffle=False, **self._loading())

    def _dataset(self, split: str, transform: Callable[[Any], Tensor]) -> Dataset[Any]:
        chosen = self.folder.splits[split]
        if self.features is not None and self._feeds_features:
            return FeatureDataset(chosen, self.features, lambda index, seed: self._view(chosen, index, seed).key)
        if self.prepared is not None and self.prepared.serves(self.preprocessing):
            contents = [self.checked.contents[path] for path in chosen.paths]
            return PreparedDataset(chosen, transform, self.prepared, contents)
        return PhotoDataset(chosen, transform)

    def _loading(self) -> dict[str, Any]:
        if self._feeds_features:
            return loader_settings(self.batch_size, 0, self.seed) | {"collate_fn": as_they_are}
        return loader_settings(self.batch_size, self.num_workers, self.seed)

    @property
    def _feeds_features(self) -> bool:
        return bool(getattr(getattr(self.trainer, "lightning_module", None), "takes_features", False))

    @override
    def on_after_batch_transfer(self, batch: tuple[Tensor, Tensor], dataloader_idx: int) -> tuple[Tensor, Tensor]:
        if self._feeds_features:
            return batch
        # Photos travel as bytes, a quarter of what floats take, and are normalised on the device.
        images, target = normalise(batch[0], self.preprocessing), batch[1]
        mixing = mixing_transform(self.mixing, self.num_classes)
        if mixing is None or self.trainer is None or not self.trainer.training:
            return images, target
        place = self.trainer.current_epoch, self.trainer.fit_loop.epoch_loop.batch_progress.current.ready
        with seeded(derived_seed(self.seed, "mixing", *place)):
            return mixing(images, target)
