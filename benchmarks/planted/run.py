"""One run, composed as the command composes it, with a fault planted, and what the rules say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from dogbreed.composed_run import CONF
from dogbreed.data.randomness import derived_seed
from dogbreed.debugging.finding import Finding
from dogbreed.debugging.rules_file import read_findings
from dogbreed.train import train
from planted.faults import Plant, no_fault

FIRED = ("IssuesFound", "Error")


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        name: as the table calls it.
        overrides: of the command.
        expected: the rule that has to name the fault; none for a healthy run.
        plant: puts the fault into the parts of the run.
    """

    name: str
    overrides: tuple[str, ...]
    expected: str | None = None
    plant: Plant = no_fault


class Told(Callback):
    """Keeps what was said after each epoch: an issue that a later epoch takes back was told all the same."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.findings: dict[str, Finding] = {}

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.hear()

    def hear(self) -> None:
        """Read what the rules have written; the first issue of a rule stays."""
        for finding in read_findings(self._path):
            known = self.findings.get(finding.rule)
            if known is None or known.status not in FIRED:
                self.findings[finding.rule] = finding


def composed(overrides: Sequence[str]) -> DictConfig:
    """The configuration of `python -m dogbreed.train debugger=rules` with these overrides."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", ["debugger=rules", "data.num_workers=0", "trainer.progress_bar=false", *overrides])


def places(output_dir: Path) -> tuple[str, str]:
    """Where a run writes, and where it keeps features: nothing of this is worth keeping."""
    return f"paths.output_dir={output_dir}", f"data.cache_dir={output_dir.parent / 'cache'}"


def findings_of(run: Run, output_dir: Path, *, seed: int) -> dict[str, Finding]:
    """Train, and hear what each rule says: its first issue, or else its last word."""
    cfg = composed([*run.overrides, *places(output_dir), f"seed={seed}"])
    data = instantiate(cfg.data, _convert_="all")
    observers = instantiate(cfg.debugger, _convert_="all")
    told = Told(output_dir / "rules.json")
    callbacks = [*instantiate(cfg.callbacks, _convert_="all"), *observers, told]
    trainer = instantiate(cfg.trainer, _convert_="all", callbacks=callbacks)
    data.prepare_data()
    data.setup()
    torch.manual_seed(derived_seed(seed, "first weights"))
    module = instantiate(cfg.model, _convert_="all", num_classes=data.num_classes)
    run.plant(trainer, module, data)
    train(trainer, module, data)
    told.hear()
    return told.findings
