"""What both observers of a run do: listen while it trains, and count its steps as smdebug does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from dogbreed.debugging.batches import criterion_of, network_of, refuse_compiled
from dogbreed.debugging.collections import Collection
from dogbreed.debugging.matching import check_matches
from dogbreed.debugging.rule import Mode
from dogbreed.debugging.taps import Sink, Taps


class StepObserver(Callback):
    """Listens from the first training step on: Lightning's rehearsal of the validation is no step of the run.

    Args:
        collections: what is looked at, and when.
    """

    def __init__(self, collections: Sequence[Collection]) -> None:
        self._collections = collections
        self._taps: Taps | None = None
        self._steps: dict[Mode, int] = {"TRAIN": -1, "EVAL": -1}

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        refuse_compiled(pl_module)
        check_matches(self._collections, network_of(pl_module), criterion_of(pl_module))

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._taps:
            self._taps.follow_trained()

    @override
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._enter("TRAIN")

    @override
    def on_validation_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._enter("EVAL")

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"steps": dict(self._taps.steps if self._taps else self._steps)}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._steps = dict(state_dict["steps"])

    def _listen(self, module: LightningModule, collections: Sequence[Collection], sink: Sink) -> None:
        self._taps = Taps(network_of(module), collections, sink)
        self._taps.steps.update(self._steps)
        self._taps.attach()

    def _stop_listening(self) -> None:
        if self._taps:
            self._steps.update(self._taps.steps)
            self._taps.detach()
            self._taps = None

    def _enter(self, mode: Mode) -> None:
        if self._taps:
            self._taps.mode = mode
