"""The training of a run: find a learning rate, fit or resume, go back to the best epoch."""

from __future__ import annotations

from pathlib import Path

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.training.checkpoint_io import read_checkpoint
from dogbreed.training.class_weights import balanced_weights
from dogbreed.training.features import training_on_features
from dogbreed.training.interruption import Interruption
from dogbreed.training.preparation import prepare_photos
from dogbreed.training.rate_search import describe_search, find_learning_rate
from dogbreed.training.resuming import newest_checkpoint


def train(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> dict[str, float]:
    """Fit, from the newest checkpoint in the trainer's folder if there is one.

    The module holds the weights of the best epoch afterwards.

    Returns:
        The validation loss of the best epoch, by name.

    Raises:
        Interrupted: a signal asked the run to stop; its state is stored.
        CheckpointError: a checkpoint could not be written.
    """
    checkpoint, faults = newest_checkpoint(Path(trainer.default_root_dir) / "checkpoints")
    for fault in faults:
        print(f"warning: {fault}; going on from the one before.", flush=True)
    if checkpoint:
        print(f"Resuming from {checkpoint.name}.", flush=True)
    with training_on_features(trainer, module, data):
        prepare_photos(trainer, module, data)
        trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    _part(trainer)
    # The file lies where the first process is.
    return load_best(trainer, module) if trainer.is_global_zero else {}


def _part(trainer: Trainer) -> None:
    """What follows is the first process's alone: a metric that still waited for the others would wait for ever."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        trainer.strategy.barrier()
        torch.distributed.destroy_process_group()


def use_found_rate(
    trainer: Trainer,
    module: BreedClassifier,
    data: DogBreedDataModule,
    output_dir: Path,
    *,
    seed: int,
    interruption: Interruption | None = None,
) -> str:
    """Search a learning rate, or take the one that this run has found, and let the module use it; a line on it.

    Raises:
        ConfigError: on several devices, each of which might find another.
    """
    if trainer.world_size > 1:
        raise ConfigError("Expected lr_find=false on several devices: find the rate on one, give it as learning_rate.")
    with training_on_features(trainer, module, data):
        search = find_learning_rate(
            module,
            data,
            output_dir=output_dir,
            accelerator=trainer.strategy.root_device.type,
            precision=str(trainer.precision),
            seed=seed,
            interruption=interruption,
        )
    line = describe_search(search, module.hparams["learning_rate"])
    if search.suggestion is not None:
        module.hparams["learning_rate"] = search.suggestion
    return line


def load_best(trainer: Trainer, module: BreedClassifier) -> dict[str, float]:
    """Put the weights of the lowest validation loss into the module; that loss, or nothing where none was stored."""
    keeper = trainer.checkpoint_callback
    if not isinstance(keeper, ModelCheckpoint) or not keeper.best_model_path:
        return {}
    module.load_state_dict(read_checkpoint(Path(keeper.best_model_path))["state_dict"])
    score = keeper.best_model_score
    return {} if score is None else {"val/loss": float(score)}


def class_weights(choice: str | None, data: DogBreedDataModule) -> list[float] | None:
    """The loss factor of each class, by the name of the choice.

    Raises:
        ConfigError: the choice is neither None nor "balanced".
    """
    if choice not in (None, "balanced"):
        raise ConfigError(f"Expected model.class_weights to be null or balanced, got {choice!r}.")
    return balanced_weights(data.folder.splits["train"].targets, data.num_classes) if choice else None
