"""Faults of real training programs, planted in a run that would otherwise be healthy."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from typing_extensions import override

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.models.classifier import BreedClassifier

Plant = Callable[[Trainer, BreedClassifier, DogBreedDataModule], None]


def no_fault(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> None:
    """The run as it is."""


def after_the_head(layer: nn.Module) -> Plant:
    """A layer stands on the logits, which the loss takes as they are."""

    def plant(_: Trainer, module: BreedClassifier, __: DogBreedDataModule) -> None:
        module.network.head = nn.Sequential(module.network.head, layer)

    return plant


def not_normalised(_: Trainer, __: BreedClassifier, data: DogBreedDataModule) -> None:
    """Photos come from a loader of one's own that makes tensors of them, in [0, 1], and no more.

    The network goes on to expect, and to state, what its weights expect: that is what somebody overlooks.
    """

    def scaled_only(batch: tuple[Tensor, Tensor], dataloader_idx: int) -> tuple[Tensor, Tensor]:  # noqa: ARG001
        return batch[0].float().div(255), batch[1]

    data.on_after_batch_transfer = scaled_only  # type: ignore[method-assign]


def shuffled_labels(_: Trainer, __: BreedClassifier, data: DogBreedDataModule) -> None:
    """The classes of training photos are dealt out anew; those of validation photos are right."""
    split = data.folder.splits["train"]
    targets = random.Random(data.seed).sample(split.targets, len(split))
    data.folder.splits["train"] = replace(split, targets=tuple(targets))


class TrainMode(Callback):
    """Calls `train()` on all of the network, as most loops do at the head of an epoch."""

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        network: Any = pl_module.network
        network.backbone.train()


def frozen_in_train_mode(trainer: Trainer, _: BreedClassifier, __: DogBreedDataModule) -> None:
    """The backbone has no gradient, but is in train mode: its batch norm follows each batch."""
    trainer.callbacks.append(TrainMode())  # type: ignore[attr-defined]


def optimizer_of_a_copy(_: Trainer, module: BreedClassifier, __: DogBreedDataModule) -> None:
    """The optimizer was made for another copy of the network than the one that computes."""
    make, network = module.configure_optimizers, module.network

    def configured() -> Any:
        module.network = deepcopy(network)
        try:
            return make()
        finally:
            module.network = network

    module.configure_optimizers = configured  # type: ignore[method-assign]
