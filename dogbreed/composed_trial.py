"""A trial: a run of a composed configuration without a model at the end, for its validation figures alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from dogbreed.composed_run import build_module, part
from dogbreed.errors import TrialError

if TYPE_CHECKING:
    from dogbreed.data.check import CheckedFolder
    from dogbreed.training.epoch_figures import EpochFigures
    from dogbreed.training.interruption import Interruption

Figures = Mapping[str, float]


def never(epoch: int, figures: Figures) -> bool:  # noqa: ARG001
    """A trial that is not given up."""
    return False


def run_trial(
    cfg: DictConfig,
    interruption: Interruption,
    *,
    checked: CheckedFolder,
    enough: Callable[[int, Figures], bool] = never,
) -> tuple[EpochFigures, Figures]:
    """Train, or go on where it was interrupted; no photo of the test split is looked at.

    Args:
        cfg: of a run.
        interruption: says whether a signal has asked to stop.
        checked: the folder of photos.
        enough: is told each epoch's figures, and says whether the trial may end.

    Returns:
        The figures of all epochs, and those of the best.

    Raises:
        TrialError: no epoch had a validation loss that is a number, or the device has too little memory.
        Interrupted: a signal asked to stop.
    """
    from torch import OutOfMemoryError

    try:
        figures = _fit(cfg, interruption, checked, enough)
    except OutOfMemoryError as error:
        raise TrialError(f"Too little memory on the device: {str(error).splitlines()[0]}") from error
    shutil.rmtree(Path(cfg.paths.output_dir) / "checkpoints", ignore_errors=True)
    if figures.best is None:
        raise TrialError("The validation loss was no number in any epoch.")
    return figures, figures.best


def _fit(
    cfg: DictConfig, interruption: Interruption, checked: CheckedFolder, enough: Callable[[int, Figures], bool]
) -> EpochFigures:
    from dogbreed.train import quiet, train
    from dogbreed.training.best_checkpoint import BestCheckpoint
    from dogbreed.training.epoch_figures import EpochFigures
    from dogbreed.training.history import HistoryLogger

    quiet()
    figures = EpochFigures(enough)
    callbacks = part(cfg.callbacks, "callbacks", interruption=interruption)
    trainer = part(
        cfg.trainer,
        "trainer",
        callbacks=[*(one for one in callbacks if not isinstance(one, BestCheckpoint)), figures],
        logger=[HistoryLogger(Path(cfg.paths.output_dir) / "history.csv")],
        enable_checkpointing=False,
    )
    data = part(cfg.data, "data", checked=checked)
    train(trainer, build_module(cfg, data), data)
    return figures
