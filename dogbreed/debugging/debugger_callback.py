"""Records a run's tensors as a trial that smdebug opens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from typing_extensions import override

from dogbreed.debugging.batches import criterion_of, network_of, tell_batch
from dogbreed.debugging.collections import Collection
from dogbreed.debugging.hook_configuration import GIVEN
from dogbreed.debugging.hooks import TensorHook
from dogbreed.debugging.rule import Mode
from dogbreed.debugging.step_observer import StepObserver


class DebuggerCallback(StepObserver):
    """Observes only: registers network and criterion once, sets the mode, closes on both ways out.

    Args:
        open_hook: makes the hook when the training begins: only then is it known which process of several this is.
        collections: what is recorded.
        limit_bytes: of tensors on disk; after that the losses alone are recorded.
        all_processes: whether each of several processes records; else the first alone does.
    """

    def __init__(
        self,
        open_hook: Callable[[], TensorHook],
        collections: Sequence[Collection],
        *,
        limit_bytes: float = math.inf,
        all_processes: bool = False,
    ) -> None:
        super().__init__(collections)
        self._open_hook = open_hook
        self._limit_bytes = limit_bytes
        self._all_processes = all_processes
        self._hook: TensorHook | None = None

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not (trainer.is_global_zero or self._all_processes):
            return
        self._hook = hook = self._open_hook()
        # Before the taps: smdebug has begun a step, then, when they speak of it.
        hook.register(network_of(pl_module), criterion_of(pl_module))
        hook.go_on(self._steps)
        given = [c for c in self._collections if c.name in GIVEN]
        self._listen(pl_module, given, lambda name, _, __, ___, value, ____: hook.record(name, value))

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_epoch_start(trainer, pl_module)
        if self._hook:
            self._hook.follow_trained()

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._tell(pl_module, batch)

    @override
    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if self._taps and self._taps.logits is not None:
            with torch.no_grad():
                # The module judges by another loss than it trains by: of these the network's own is recorded.
                criterion_of(pl_module)(self._taps.logits.float(), batch[1])
            self._tell(pl_module, batch)

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if hook := self._hook:
            pl_module.print(f"Debugger: {hook.nbytes / 2**20:.1f} MiB of tensors in {hook.folder}")
            self._name_empty(pl_module, hook)
            self._close()
            if hook.disabled:
                pl_module.print(f"warning: the end of the trial could not be written: {hook.fault}")

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._close()

    @override
    def _enter(self, mode: Mode) -> None:
        super()._enter(mode)
        if self._hook:
            self._hook.set_mode(mode)

    def _tell(self, pl_module: LightningModule, batch: Any) -> None:
        if not self._taps:
            return
        tell_batch(self._taps, pl_module, batch)
        if self._hook and self._hook.nbytes > self._limit_bytes:
            pl_module.print(
                f"Debugger: {self._hook.nbytes / 2**30:.1f} GiB are recorded (debugger.disk_gib); from here on the "
                "losses alone."
            )
            self._hook.only_losses()
            self._limit_bytes = math.inf
        if self._hook and self._hook.disabled:
            pl_module.print(
                f"warning: smdebug has met an error and is switched off; the trial ends here: {self._hook.fault}"
            )
            self._close()

    def _name_empty(self, pl_module: LightningModule, hook: TensorHook) -> None:
        found = hook.tensor_names()
        empty = [c.name for c in self._collections if not found.get(c.name)]
        if empty:
            pl_module.print(f"Debugger: nothing was recorded in {', '.join(empty)}: this run computes no such tensor.")

    def _close(self) -> None:
        self._stop_listening()
        if self._hook:
            self._hook.close()
            self._hook = None
