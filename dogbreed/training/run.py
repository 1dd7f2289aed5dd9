"""A run from data to artifact: fit or resume, test the best checkpoint once, leave what was learnt in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from dogbreed.artifacts import save_artifact
from dogbreed.atomic import atomic_write
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.training.checkpoint_io import read_checkpoint
from dogbreed.training.class_weights import balanced_weights
from dogbreed.training.limits import limits
from dogbreed.training.resuming import newest_checkpoint


def train(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> dict[str, float]:
    """Fit, from the newest checkpoint in the trainer's folder if there is one, then test the best one.

    The module holds the best weights afterwards.

    Returns:
        The test metrics by name, and the validation metrics of the best epoch.

    Raises:
        Interrupted: a signal asked the run to stop; its state is stored.
        CheckpointError: a checkpoint could not be written.
    """
    checkpoint, faults = newest_checkpoint(Path(trainer.default_root_dir) / "checkpoints")
    for fault in faults:
        print(f"warning: {fault}; going on from the one before.", flush=True)
    if checkpoint:
        print(f"Resuming from {checkpoint.name}.", flush=True)
    trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    best = load_best(trainer, module)
    trainer.test(module, data, verbose=False)
    test = {name: value.item() for name, value in trainer.callback_metrics.items() if name.startswith("test/")}
    return best | test


def load_best(trainer: Trainer, module: BreedClassifier) -> dict[str, float]:
    """Put the weights of the lowest validation loss into the module; that loss, or nothing where none was stored."""
    keeper = trainer.checkpoint_callback
    if not isinstance(keeper, ModelCheckpoint) or not keeper.best_model_path:
        return {}
    module.load_state_dict(read_checkpoint(Path(keeper.best_model_path))["state_dict"])
    score = keeper.best_model_score
    return {} if score is None else {"val/loss": float(score)}


def write_results(
    output_dir: str | Path,
    trainer: Trainer,
    module: BreedClassifier,
    data: DogBreedDataModule,
    metrics: Mapping[str, float],
) -> None:
    """The artifact and `metrics.json`, which is written last: where it is, the run is complete.

    Raises:
        ArtifactError: the artifact could not be written, or does not answer as the module does.
    """
    if not trainer.is_global_zero:
        return
    output_dir = Path(output_dir)
    details = {
        "training": training_summary(module),
        "metrics": dict(metrics),
        "data": data_summary(data),
        "limits": limits(trainer),
    }
    save_artifact(
        output_dir / "model",
        module.network,
        architecture=module.architecture,
        class_names=data.class_names,
        details=details,
    )
    with atomic_write(output_dir / "metrics.json") as file:
        file.write(json.dumps(details, indent=2).encode())


def class_weights(choice: str | None, data: DogBreedDataModule) -> list[float] | None:
    """The loss factor of each class, by the name of the choice.

    Raises:
        ConfigError: the choice is neither None nor "balanced".
    """
    if choice not in (None, "balanced"):
        raise ConfigError(f"Expected model.class_weights to be null or balanced, got {choice!r}.")
    return balanced_weights(data.folder.splits["train"].targets, data.num_classes) if choice else None


def training_summary(module: BreedClassifier) -> dict[str, Any]:
    """The regime of a run and its settings, as JSON holds them."""
    settings = {name: list(v) if isinstance(v, tuple) else v for name, v in dict(module.hparams).items()}
    frozen = settings["frozen"]
    regime = {True: "frozen backbone", False: "fine-tuned"}.get(frozen) if isinstance(frozen, bool) else None
    trained, total = trainable_parameters(module)
    return {
        "regime": regime or f"fine-tuned from {frozen}",
        "trainable_parameters": trained,
        "parameters": total,
        "settings": settings,
    }


def trainable_parameters(module: BreedClassifier) -> tuple[int, int]:
    """How many parameters have a gradient, and how many there are."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in module.network.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)


def data_summary(data: DogBreedDataModule) -> dict[str, Any]:
    """What the run was trained and tested on."""
    return {
        "num_classes": data.num_classes,
        "photos": {name: len(split) for name, split in data.folder.splits.items()},
        "skipped": len(data.checked.skipped),
        "synthetic": data.synthetic,
    }
