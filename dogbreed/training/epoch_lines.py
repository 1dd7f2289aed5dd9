"""One readable line an epoch, for a terminal and for a log alike."""

from __future__ import annotations

import sys
import time

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override


class EpochLines(Callback):
    """Prints epoch, losses, accuracies and duration; a star marks the best validation loss so far.

    A line is printed when the next epoch begins: only then are all figures of the last one there.
    """

    def __init__(self) -> None:
        self._best = float("inf")
        self._begun: float | None = None

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A run that resumes within an epoch does not start that epoch again.
        self._begun = time.monotonic()

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._print(trainer, pl_module)
        self._begun = time.monotonic()

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._print(trainer, pl_module)

    def _print(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = {name: value.item() for name, value in trainer.callback_metrics.items()}
        if self._begun is None or "val/loss" not in metrics:
            return
        star = "*" if metrics["val/loss"] < self._best else " "
        self._best = min(self._best, metrics["val/loss"])
        seconds = time.monotonic() - self._begun
        # Lightning's own print, which goes around a moving progress bar.
        pl_module.print(
            f"epoch {trainer.current_epoch:>3}/{trainer.max_epochs}{star} "
            f"train loss {metrics['train/loss']:.3f} acc {metrics['train/acc']:.3f}   "
            f"val loss {metrics['val/loss']:.3f} acc {metrics['val/acc']:.3f} top-5 {metrics['val/acc5']:.3f}   "
            f"{seconds:.1f} s"
        )
        sys.stdout.flush()
