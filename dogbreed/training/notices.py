"""What a run says before it begins and after it has ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pytorch_lightning import Trainer

from dogbreed.data.check import describe
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.training.limits import limits
from dogbreed.training.results import trainable_parameters
from dogbreed.training.resuming import resume_checkpoints

SAMPLE = (
    "This was the synthetic sample: drawn pictures, no dogs. To train on dogs: python -m dogbreed.train data=dogs, "
    "or on your own photos: python -m dogbreed.train data.root=FOLDER"
)
# What may differ between a run and its continuation: none of it changes a figure.
FREE_SETTINGS = (
    "paths",
    "debugger",
    "profiler",
    "data.num_workers",
    "data.cache_dir",
    "data.cache_gib",
    "callbacks.checkpoint_seconds",
    "trainer.progress_bar",
    "report",
)


def before(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule, output_dir: Path) -> list[str]:
    """Data, model, machine and limits of a run, a line each."""
    trained, total = trainable_parameters(module)
    hparams = module.hparams
    lines = [
        *describe(data.checked).splitlines(),
        f"Model: {hparams['backbone']} with weights {hparams['weights'] or 'none (random)'}, "
        f"{trained:,} trainable and {total - trained:,} frozen parameters.",
        f"Machine: {trainer.accelerator.__class__.__name__.removesuffix('Accelerator')}, "
        f"precision {trainer.precision}, {data.num_workers} worker processes.",
        f"Writing to {output_dir}; interrupted, the same command with paths.output_dir={output_dir} goes on.",
    ]
    return lines + [f"LIMITED RUN: {sentence}" for sentence in limits(trainer)]


def after(trainer: Trainer, data: DogBreedDataModule, output_dir: Path, results: Mapping[str, Any]) -> list[str]:
    """The test figures, what weakens them, and how to use the model."""
    model, report = output_dir / "model", output_dir / "report.html"
    return [
        f"Test ({results['judged']['photos']} photos): {', '.join(figures(results))}",
        *[f"LIMITED RUN: {sentence}" for sentence in limits(trainer)],
        f"Model: {model}. To use it: python -m dogbreed.predict model={model} PHOTO",
        *([f"Report: {report}"] if report.exists() else []),
        *([SAMPLE] if data.synthetic else []),
    ]


def figures(results: Mapping[str, Any]) -> Iterator[str]:
    """The test figures of a run's `metrics.json`, each with its 95 % interval where it has one."""
    for name, value in results["metrics"].items():
        low, high = results["intervals"].get(name, (None, None))
        interval = "" if low is None else f" ({low:.4f} to {high:.4f})"
        if name.startswith("test/"):
            yield f"{name.removeprefix('test/')} {value:.4f}{interval}"


def finished(output_dir: Path, config: Any) -> str | None:
    """What to say of a folder that holds a complete run of these settings; None where there is still work.

    Raises:
        ConfigError: the folder holds a run of other settings.
    """
    complete = (output_dir / "metrics.json").exists()
    if not complete and not resume_checkpoints(output_dir / "checkpoints"):
        return None
    different = differing(yaml.safe_load((output_dir / "config.yaml").read_text()), config)
    if different:
        raise ConfigError(
            f"{output_dir} holds a run with another {', '.join(different[:3])}. Choose another paths.output_dir, or "
            "give the same settings to go on with that run."
        )
    if not complete or not (output_dir / "model" / "model.json").exists():
        return None
    metrics = json.loads((output_dir / "metrics.json").read_text())["metrics"]
    return f"The run in {output_dir} is complete: {metrics}. To train anew, choose another paths.output_dir."


def differing(old: Any, new: Any, prefix: str = "") -> list[str]:
    """The keys whose values differ, those aside that change no figure."""
    if prefix.rstrip(".") in FREE_SETTINGS:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        return [found for key in keys for found in differing(old.get(key), new.get(key), f"{prefix}{key}.")]
    return [] if old == new else [prefix.rstrip(".")]
