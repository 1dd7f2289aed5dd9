"""The report of a run: its evaluation, and what was trained, how, and how to do it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.evaluation.evaluation import Evaluation
from dogbreed.evaluation.machine import machine_facts, weights_name
from dogbreed.evaluation.report_contents import report_contents
from dogbreed.evaluation.weaknesses import weaknesses
from dogbreed.models import schedule as schedules
from dogbreed.models.classifier import BreedClassifier
from dogbreed.reporting.page import render_report
from dogbreed.training.history import read_history
from dogbreed.training.rate_search import read_search

POINTS = 200  # of the learning-rate curve


def run_report(
    evaluation: Evaluation,
    trainer: Trainer,
    module: BreedClassifier,
    data: DogBreedDataModule,
    details: Mapping[str, Any],
    *,
    command: Sequence[str] = (),
) -> str:
    """The page, as HTML.

    Args:
        evaluation: of the module's network, on the test split.
        trainer: that fitted the module; its folder holds the history and the configuration.
        module: with the weights of the best epoch.
        data: the photos.
        details: as `metrics.json` holds them.
        command: that made the run; empty for one that was started by other code.
    """
    output_dir, hparams = Path(trainer.default_root_dir), module.hparams
    history = [numbers(row) for row in read_history(output_dir / "history.csv")]
    config = output_dir / "config.yaml"
    return render_report(
        report_contents(
            evaluation,
            module.network,
            title=f"{hparams['backbone']} on {data.folder.root.name}",
            summary=f"{details['training']['regime'].capitalize()}, {data.num_classes} classes, judged on "
            f"{evaluation.figures.photos:,} photos of the {evaluation.judged} split.",
            weaknesses=weaknesses(
                evaluation,
                limits=details["limits"],
                data=details["data"],
                weights=hparams["weights"],
                findings=data.checked.findings,
            ),
            facts=facts(trainer, module, data, details),
            commands=[shlex.join(command)] if command else [],
            settings=config.read_text() if config.exists() else "",
            history=history,
            best_epoch=best_epoch(history),
            learning_rates=learning_rates(trainer, module),
            rate_search=read_search(output_dir),
        )
    )


def numbers(row: Mapping[str, str]) -> dict[str, float]:
    """A row of the history as numbers, epochs counted from 1; what was not measured in that epoch is left out.

    >>> numbers({"epoch": "0", "val/acc": "0.5", "train/acc": ""})
    {'epoch': 1.0, 'val/acc': 0.5}
    """
    found = {name: float(text) for name, text in row.items() if text}
    return found | {"epoch": found["epoch"] + 1}


def best_epoch(history: Sequence[Mapping[str, float]]) -> int | None:
    """The epoch of the lowest validation loss: the one whose weights are kept."""
    validated = [row for row in history if "val/loss" in row]
    return int(min(validated, key=lambda row: row["val/loss"])["epoch"]) if validated else None


def learning_rates(trainer: Trainer, module: BreedClassifier) -> dict[str, list[tuple[int, float]]]:
    """The schedule of the head, and of the backbone's uppermost stage where any of the backbone is trained."""
    hparams, steps = module.hparams, trainer.global_step
    factor = schedules.schedule(
        hparams["schedule"], warmup=hparams["warmup"], total_steps=schedules.total_steps(trainer)
    )
    parts = {"head": 1.0}
    if hparams["frozen"] is not True:
        parts["backbone, uppermost stage"] = hparams["backbone_rate"]
    shown = sorted({step * max(1, steps - 1) // POINTS for step in range(POINTS + 1)})
    return {
        name: [(step, factor(step) * hparams["learning_rate"] * part) for step in shown] for name, part in parts.items()
    }


def facts(
    trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule, details: Mapping[str, Any]
) -> dict[str, str]:
    """Model, data, machine and versions, by name."""
    training, photos = details["training"], details["data"]["photos"]
    return {
        "Backbone": f"{module.hparams['backbone']}, weights {weights_name(module.hparams['weights'])}",
        "Regime": training["regime"],
        "Parameters": f"{training['trainable_parameters']:,} trained, of {training['parameters']:,}",
        "Photos": ", ".join(f"{count:,} {name}" for name, count in photos.items()),
        "Classes": f"{data.num_classes}",
        "Epochs": f"{trainer.current_epoch} ({trainer.global_step:,} steps of {data.batch_size} photos)",
        "Seed": f"{data.seed}",
        "Precision": str(trainer.precision),
        **machine_facts(trainer.strategy.root_device),
    }
