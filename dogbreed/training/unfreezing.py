"""Gradual unfreezing: the head alone first, then all."""

from __future__ import annotations

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier


class GradualUnfreezing(Callback):
    """Keeps the whole backbone frozen before an epoch, and from then on only what the model freezes by itself.

    What is frozen is a function of the epoch, and the optimizer holds all parameters from the start: a resumed run
    has nothing to restore and cannot freeze again what was already trained.

    Args:
        epoch: the first, from 0, in which more than the head is trained; None never freezes more than the model.
    """

    def __init__(self, epoch: int | None = None) -> None:
        self.epoch = epoch

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.epoch is not None and isinstance(pl_module, BreedClassifier) and pl_module.hparams["frozen"] is True:
            raise ConfigError("Expected model.frozen to be false or a stage with gradual unfreezing, got true.")
        # A run that resumes within an epoch does not start that epoch again.
        self._freeze(trainer, pl_module)

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._freeze(trainer, pl_module)

    def _freeze(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.epoch is not None and isinstance(pl_module, BreedClassifier):
            head_only = trainer.current_epoch < self.epoch
            pl_module.freeze_backbone(True if head_only else pl_module.hparams["frozen"])
