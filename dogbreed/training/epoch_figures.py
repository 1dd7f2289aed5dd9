"""What each epoch's validation said, and whether the run may end with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

Figures = Mapping[str, float]


def _never(epoch: int, figures: Figures) -> bool:  # noqa: ARG001
    return False


class EpochFigures(Callback):
    """Keeps the validation figures of every epoch.

    Args:
        enough: is told each epoch, counted from 0, and its figures, and says whether the run may end.

    Attributes:
        epochs: the figures of each epoch.
        given_up: whether `enough` ended the run.
    """

    def __init__(self, enough: Callable[[int, Figures], bool] = _never) -> None:
        self.epochs: list[dict[str, float]] = []
        self.given_up = False
        self._enough = enough

    @property
    def best(self) -> dict[str, float] | None:
        """The figures at the lowest validation loss; None where none was a number."""
        finite = [figures for figures in self.epochs if math.isfinite(figures["val/loss"])]
        return min(finite, key=lambda figures: figures["val/loss"], default=None)

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = trainer.callback_metrics.items()
        self.epochs.append({name: value.item() for name, value in metrics if name.startswith("val/")})
        enough = self._enough(len(self.epochs) - 1, self.epochs[-1])
        # A run that ends anyway is a whole one.
        if enough and not trainer.should_stop and len(self.epochs) != trainer.max_epochs:
            self.given_up = trainer.should_stop = True

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"epochs": self.epochs}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.epochs = list(state_dict["epochs"])
        for epoch, figures in enumerate(self.epochs):
            self._enough(epoch, figures)
