"""Asks the rules while a run trains, writes `rules.json`, and ends a run that is past hope."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from dogbreed.debugging.batches import criterion_of, tell_batch
from dogbreed.debugging.collections import Collection as TensorCollection
from dogbreed.debugging.finding import Finding, Status, issue, worst_first
from dogbreed.debugging.page import PAGE, summary, write_page
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rule import Mode
from dogbreed.debugging.rule_table import RULES
from dogbreed.debugging.rules_file import read_findings, write_findings
from dogbreed.debugging.stall_watch import StallWatch
from dogbreed.debugging.step_observer import StepObserver
from dogbreed.debugging.taps import as_array


class RulesCallback(StepObserver):
    """Observes, but for `stop_on`. Asks after each epoch, and writes what the rules say.

    Args:
        path: of `rules.json`.
        recorded: keeps what the rules need.
        collections: what is looked at, and when.
        stop_on: rules whose issue ends the run after the epoch.
    """

    def __init__(
        self,
        path: str | Path,
        recorded: Recorded,
        collections: Sequence[TensorCollection],
        *,
        stop_on: Collection[str] = (),
    ) -> None:
        super().__init__(collections)
        self.path = Path(path)
        self.recorded = recorded
        self._stop_on = set(stop_on)
        self._told: set[str] = set()
        self._watch: StallWatch | None = None
        self._loss: Tensor | None = None
        self._loss_handle: Any = None

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        self._loss_handle = criterion_of(pl_module).register_forward_hook(self._keep_loss)
        self._listen(pl_module, self._collections, self._record)
        if settings := self.recorded.settings.get("StalledTraining"):
            self._watch = StallWatch(float(settings["threshold"]), self._stalled)
            self._watch.start()
        self._write("InProgress")

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # Not Lightning's: it has divided that by the batches whose gradients are added up.
        if self._loss is not None:
            self._tell(pl_module, batch, self._loss)

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
                # Past its hooks: a trial records this loss once.
                loss = criterion_of(pl_module).forward(self._taps.logits.float(), batch[1])
            self._tell(pl_module, batch, loss)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        past_hope = self._tell_findings(pl_module) if self._taps else False
        # One process asks, and all of them end.
        if self._stop_on and trainer.strategy.reduce_boolean_decision(past_hope, all=False):
            trainer.should_stop = True

    def _tell_findings(self, pl_module: LightningModule) -> bool:
        """Say what is new; whether it ends the run."""
        new = [
            f for f in self._write("InProgress") if f.status in ("Error", "IssuesFound") and f.rule not in self._told
        ]
        for finding in worst_first(new):
            self._told.add(finding.rule)
            failed = "The rule failed: " if finding.status == "Error" else ""
            pl_module.print(f"{finding.rule}: {failed}{finding.reason} {finding.advice}".rstrip())
        hopeless = [f.rule for f in new if f.status == "IssuesFound" and f.rule in self._stop_on]
        if hopeless:
            pl_module.print(f"The run ends here: debugger.stop_on names {hopeless[0]}.")
        return bool(hopeless)

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            self._close()
            # Also where a resumed run had no step left to train.
            self._write("NoIssuesFound")
            page, findings = self.path.with_name(PAGE), read_findings(self.path)
            write_page(page, self.recorded, findings, title=f"Debugger: {self.path.parent.name}")
            pl_module.print(f"Debugger: {page}. {summary(findings)}")

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self._taps:
            self._close()
            self._write("Stopped")

    @override
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "series": self.recorded.state()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.recorded.restore(state_dict["series"])

    def _keep_loss(self, _: Any, __: Any, loss: Tensor) -> None:
        self._loss = loss.detach()

    def _record(self, name: str, held: tuple[str, ...], mode: Mode, step: int, value: Tensor, at: int) -> None:
        if self.recorded.wanting(name, held, mode):
            self.recorded.record(name, held, mode, step, as_array(value), at)

    def _tell(self, module: LightningModule, batch: Any, loss: Tensor) -> None:
        if not self._taps:
            return
        tell_batch(self._taps, module, batch)
        self._taps.tell(f"{type(criterion_of(module)).__name__}_output_0", "losses", loss)
        if self._watch:
            self._watch.step()

    def _stalled(self, seconds: float) -> None:
        """Called by the watch, beside a loop that stands still."""
        allowed = float(self.recorded.settings["StalledTraining"]["threshold"])
        late = issue(f"No step for {seconds:.0f} s.", value=seconds, threshold=allowed)
        late = replace(late, rule="StalledTraining", advice=RULES["StalledTraining"].advice)
        others = [finding for finding in read_findings(self.path) if finding.rule != late.rule]
        write_findings(self.path, worst_first([late, *others]))

    def _write(self, undecided: Status) -> list[Finding]:
        """Ask all rules and keep what they say; while a run goes on, no rule has found that nothing is wrong."""
        found = [
            replace(finding, status=undecided) if finding.status == "NoIssuesFound" else finding
            for finding in self.recorded.check()
        ]
        write_findings(self.path, worst_first(found))
        return found

    def _close(self) -> None:
        if self._watch:
            self._watch.stop()
        if self._taps:
            self._stop_listening()
            self._loss_handle.remove()
        self._watch = self._loss = None
