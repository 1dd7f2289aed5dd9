"""One readable line an epoch, for a terminal and for a log alike."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from dogbreed.epoch_line import epoch_line

NONE = {"val/loss": math.inf}


class EpochLines(Callback):
    """Prints epoch, losses, accuracies and duration; a star marks the best validation loss so far.

    A line is printed when the next epoch begins: only then are all figures of the last one there.
    """

    def __init__(self) -> None:
        self._kept: dict[str, float] | None = None
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

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"kept": self._kept}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._kept = state_dict["kept"]

    def _print(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = {name: value.item() for name, value in trainer.callback_metrics.items()}
        if self._begun is None or "val/loss" not in metrics:
            return
        if metrics["val/loss"] < (self._kept or NONE)["val/loss"]:
            self._kept = metrics
        seconds = time.monotonic() - self._begun
        # Lightning's own print, which goes around a moving progress bar.
        pl_module.print(
            epoch_line(trainer.current_epoch, trainer.max_epochs, metrics, kept=self._kept, seconds=seconds)
        )
        sys.stdout.flush()
