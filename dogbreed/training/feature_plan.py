"""Whether a run looks at its photos once, and keeps what the frozen part of the network says of them."""

from __future__ import annotations

import math
from collections.abc import Callable

from pytorch_lightning import Trainer

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.models.classifier import BreedClassifier
from dogbreed.training.unfreezing import GradualUnfreezing


def unfreezes(trainer: Trainer) -> bool:
    """Whether a callback changes what is frozen."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    return any(isinstance(callback, GradualUnfreezing) and callback.epoch is not None for callback in callbacks)


def looks(trainer: Trainer, data: DogBreedDataModule) -> float:
    """How often the run would look at each training photo, on average."""
    epochs, limit = trainer.max_epochs or 0, trainer.limit_train_batches
    batches = math.ceil(len(data.folder.splits["train"]) / data.batch_size)
    share = limit / batches if isinstance(limit, int) else limit
    return math.inf if epochs < 0 else epochs * min(1.0, share)


# What forbids it, and why.
OBSTACLES: tuple[tuple[Callable[[Trainer, DogBreedDataModule], bool], str], ...] = (
    (lambda _, data: data.mixing is not None, "data.mixing blends photos before the backbone sees them"),
    (lambda trainer, _: unfreezes(trainer), "callbacks.unfreeze_epoch changes what is frozen"),
    (lambda trainer, _: trainer.world_size > 1, "the run uses several devices"),
    (
        lambda trainer, _: bool(getattr(trainer, "overfit_batches", 0)),
        "trainer.overfit_batches takes a few photos only",
    ),
    (lambda trainer, data: looks(trainer, data) < (data.views or 1), "the run is too short to repay it"),
)


def wants_features(module: BreedClassifier) -> bool:
    """Whether a part of the network is frozen, and the module allows that it is computed once."""
    return bool(module.hparams["cache"]) and module.hparams["frozen"] is not False


def obstacle(trainer: Trainer, data: DogBreedDataModule) -> str | None:
    """Why the photos have to be looked at in every epoch; None where they have not."""
    return next((reason for forbids, reason in OBSTACLES if forbids(trainer, data)), None)
