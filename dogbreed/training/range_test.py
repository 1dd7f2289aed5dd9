"""The steps of a learning-rate range test (Smith, 2017), by Lightning's finder, on copies of what will be trained."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable
from typing import Any

import torch
from lightning_fabric.plugins import CheckpointIO
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.tuner.tuning import Tuner
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor
from torch.optim import Optimizer
from typing_extensions import override

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.randomness import derived_seed
from dogbreed.data.transforms import Preprocessing
from dogbreed.models.classifier import BreedClassifier
from dogbreed.training.interruption import Interruption


def range_test(
    trainer: Trainer,
    module: BreedClassifier,
    data: DogBreedDataModule,
    *,
    seed: int,
    num_steps: int,
    low: float,
    high: float,
    interruption: Interruption,
) -> tuple[list[float], list[float]]:
    """The rate of the head at every step, and the loss there.

    Args:
        trainer: used for nothing else, with `InMemory` for checkpoints.
        module: copied; every part of the copy learns at its own factor of the head's rate.
        data: copied, so that it stays with its own trainer.
        seed: of dropout; torch's, NumPy's and Python's generators are as before afterwards.
        num_steps: at most so many: a loss that rises far above the lowest ends the test.
        low: the first rate.
        high: the last rate.
        interruption: looked at before each step.
    """
    tested = _Tested(module, interruption)
    with isolate_rng(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*have no `validation_step`.*")
        torch.manual_seed(derived_seed(seed, "learning rate search"))
        finder = Tuner(trainer).lr_find(
            tested,
            datamodule=copy.copy(data),
            min_lr=low,
            max_lr=high,
            num_training=num_steps,
            update_attr=False,
        )
    rates = list(finder.results["lr"]) if finder else []
    return rates, torch.stack(tested.seen).tolist()


class _Tested(LightningModule):
    """A copy of a classifier that takes the finder's one rate as that of its head, and keeps every loss."""

    def __init__(self, module: BreedClassifier, interruption: Interruption) -> None:
        super().__init__()
        self.classifier = copy.deepcopy(module)
        # The rates of the optimizer's groups are then their factors.
        self.classifier.hparams["learning_rate"] = 1.0
        self.interruption = interruption
        self.factors: list[float] = []
        # Those that the finder keeps are averages of which the first ones are half of what they should be.
        self.seen: list[Tensor] = []

    @property
    def preprocessing(self) -> Preprocessing:
        return self.classifier.preprocessing

    @property
    def takes_features(self) -> bool:
        return self.classifier.takes_features

    @override
    def configure_optimizers(self) -> Optimizer:
        optimizer: Optimizer = self.classifier.configure_optimizers()["optimizer"]
        self.factors = [group["initial_lr"] for group in optimizer.param_groups]
        return optimizer

    @override
    def on_train_start(self) -> None:
        self.interruption.listen_again()
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            # The finder's own progress bar would move in a log file too.
            callback.progress_bar_refresh_rate = int(sys.stderr.isatty())

    @override
    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        self.interruption.stop_if_asked()
        images, target = batch
        loss: Tensor = self.classifier.criterion(self.classifier(images), target)
        self.seen.append(loss.detach().float())
        return loss

    @override
    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Callable[[], Any] | None = None
    ) -> None:
        # The finder gives every group the same rate, and anew after each step.
        for group, factor in zip(optimizer.param_groups, self.factors, strict=True):
            group["lr"] *= factor
        super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)


class InMemory(CheckpointIO):
    """The finder stores a module to restore it: needless for a copy, and a large file where the process is killed."""

    def __init__(self) -> None:
        self._checkpoint: dict[str, Any] = {}

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        self._checkpoint = checkpoint

    @override
    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return self._checkpoint

    @override
    def remove_checkpoint(self, path: Any) -> None:
        self._checkpoint = {}
