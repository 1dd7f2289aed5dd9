"""Records a run's tensors as a trial that smdebug opens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from dogbreed.debugging.batches import criterion_of, network_of, refuse_compiled, tell_batch
from dogbreed.debugging.collections import Collection
from dogbreed.debugging.hook_configuration import GIVEN
from dogbreed.debugging.hooks import TensorHook
from dogbreed.debugging.matching import check_matches
from dogbreed.debugging.rule import Mode
from dogbreed.debugging.taps import Taps


class DebuggerCallback(Callback):
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
        self._open_hook = open_hook
        self._collections = collections
        self._limit_bytes = limit_bytes
        self._all_processes = all_processes
        self._hook: TensorHook | None = None
        self._taps: Taps | None = None
        self._steps: dict[Mode, int] = {"TRAIN": -1, "EVAL": -1}

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        refuse_compiled(pl_module)
        check_matches(self._collections, network_of(pl_module), criterion_of(pl_module))

    # Lightning's rehearsal of the validation lies between the two: it is no step of the run.
    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not (trainer.is_global_zero or self._all_processes):
            return
        network, criterion = network_of(pl_module), criterion_of(pl_module)
        hook = self._open_hook()
        # Before the taps: smdebug has begun a step, then, when they speak of it.
        hook.register(network, criterion)
        hook.go_on(self._steps)
        self._taps = Taps(network, self._given(), lambda name, _, __, ___, value, ____: hook.record(name, value))
        self._taps.steps.update(self._steps)
        self._taps.attach()
        self._hook = hook

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._hook and self._taps:
            self._hook.follow_trained()

    @override
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._mode("TRAIN")

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._tell(pl_module, batch)

    @override
    def on_validation_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._mode("EVAL")

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
    def state_dict(self) -> dict[str, Any]:
        return {"steps": dict(self._taps.steps if self._taps else self._steps)}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._steps = dict(state_dict["steps"])

    def _given(self) -> list[Collection]:
        return [c for c in self._collections if c.name in GIVEN]

    def _mode(self, mode: Any) -> None:
        if self._hook and self._taps:
            self._hook.set_mode(mode)
            self._taps.mode = mode

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
        if self._taps:
            self._steps.update(self._taps.steps)
            self._taps.detach()
        if self._hook:
            self._hook.close()
        self._hook = self._taps = None
