"""One run, composed as the command composes it, with a fault planted, and what the rules say of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from planted.faults import Plant, no_fault

from dogbreed.data.randomness import derived_seed
from dogbreed.train import CONF, train


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


def composed(overrides: Sequence[str]) -> DictConfig:
    """The configuration of `python -m dogbreed.train debugger=rules` with these overrides."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", ["debugger=rules", "trainer.progress_bar=false", *overrides])


def findings_of(run: Run, output_dir: Path, *, seed: int) -> list[dict[str, Any]]:
    """Train, and read what the rules have written."""
    cfg = composed([*run.overrides, f"paths.output_dir={output_dir}", f"seed={seed}"])
    data = instantiate(cfg.data, _convert_="all")
    observers = instantiate(cfg.debugger, _convert_="all")
    callbacks = [*instantiate(cfg.callbacks, _convert_="all"), *observers]
    trainer = instantiate(cfg.trainer, _convert_="all", callbacks=callbacks)
    data.prepare_data()
    data.setup()
    torch.manual_seed(derived_seed(seed, "first weights"))
    module = instantiate(cfg.model, _convert_="all", num_classes=data.num_classes)
    run.plant(trainer, module, data)
    train(trainer, module, data)
    return list(json.loads((output_dir / "rules.json").read_text())["rules"])
