"""Asks the rules while a run trains, writes `rules.json`, and ends a run that is past hope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from dogbreed.debugging.batches import criterion_of, network_of, tell_batch
from dogbreed.debugging.collections import Collection as TensorCollection
from dogbreed.debugging.finding import ORDER, Finding, Status, issue, worst_first
from dogbreed.debugging.page import PAGE, write_page
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rule import Mode
from dogbreed.debugging.rule_table import RULES
from dogbreed.debugging.rules_file import read_findings, write_findings
from dogbreed.debugging.stall_watch import StallWatch
from dogbreed.debugging.taps import Taps, as_array

WORDS = {
    "Error": "rules that failed",
    "IssuesFound": "issues",
    "Stopped": "stopped",
    "InProgress": "undecided",
    "NotApplicable": "not applicable",
    "NoIssuesFound": "without an issue",
}


class RulesCallback(Callback):
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
        self.path = Path(path)
        self.recorded = recorded
        self._collections = collections
        self._stop_on = set(stop_on)
        self._taps: Taps | None = None
        self._steps: dict[Mode, int] = {"TRAIN": -1, "EVAL": -1}
        self._told: set[str] = set()
        self._watch: StallWatch | None = None

    @override
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        self._taps = Taps(network_of(pl_module), self._collections, self._record)
        self._taps.steps.update(self._steps)
        self._taps.attach()
        if settings := self.recorded.settings.get("StalledTraining"):
            self._watch = StallWatch(float(settings["threshold"]), self._stalled)
            self._watch.start()
        self._write("InProgress")

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._taps:
            self._taps.follow_trained()

    @override
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._mode("TRAIN")

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._tell(pl_module, batch, outputs["loss"] if isinstance(outputs, dict) else outputs)

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
                loss = criterion_of(pl_module)(self._taps.logits.float(), batch[1])
            self._tell(pl_module, batch, loss)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self._taps:
            return
        for finding in self._write("InProgress"):
            if finding.status != "IssuesFound" or finding.rule in self._told:
                continue
            self._told.add(finding.rule)
            pl_module.print(f"{finding.rule}: {finding.reason} {finding.advice}")
            if finding.rule in self._stop_on:
                trainer.should_stop = True
                pl_module.print(f"The run ends here: debugger.stop_on names {finding.rule}.")

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._taps:
            self._close("NoIssuesFound")
            page = self.path.with_name(PAGE)
            write_page(page, self.recorded, read_findings(self.path), title=f"Debugger: {self.path.parent.name}")
            pl_module.print(f"Debugger: {self._counted()}: {page}")

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._close("Stopped")

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"steps": dict(self._taps.steps if self._taps else self._steps), "series": self.recorded.state()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._steps = dict(state_dict["steps"])
        self.recorded.restore(state_dict["series"])

    def _mode(self, mode: Mode) -> None:
        if self._taps:
            self._taps.mode = mode

    def _record(self, name: str, collection: str, mode: Mode, step: int, value: Tensor, at: int) -> None:
        if self.recorded.wanting(name, (collection,), mode):
            self.recorded.record(name, (collection,), mode, step, as_array(value), at)

    def _tell(self, module: LightningModule, batch: Any, loss: Tensor) -> None:
        if not self._taps:
            return
        tell_batch(self._taps, module, batch)
        self._taps.tell(f"{type(criterion_of(module)).__name__}_output_0", "losses", loss)
        if self._watch:
            self._watch.step()

    def _stalled(self, seconds: float) -> None:
        """Called by the watch, beside a loop that stands still."""
        late = issue(f"No step for {seconds:.0f} s.", value=seconds, threshold=seconds)
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

    def _counted(self) -> str:
        found = Counter(finding.status for finding in read_findings(self.path))
        return ", ".join(f"{WORDS[status]} {found[status]}" for status in ORDER if found[status])

    def _close(self, undecided: Status) -> None:
        if self._watch:
            self._watch.stop()
        if self._taps:
            self._steps.update(self._taps.steps)
            self._taps.detach()
            self._write(undecided)
        self._taps = self._watch = None
