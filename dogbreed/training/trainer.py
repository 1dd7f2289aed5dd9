"""The Trainer with this project's settings: reproducible, checkpoints that survive, figures of whole epochs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.callbacks import (
    EarlyStopping,
    EMAWeightAveraging,
    LearningRateMonitor,
    TQDMProgressBar,
)
from pytorch_lightning.loggers import TensorBoardLogger

from dogbreed.errors import ConfigError
from dogbreed.training.best_checkpoint import BestCheckpoint
from dogbreed.training.checkpoint_io import AtomicCheckpointIO
from dogbreed.training.epoch_lines import EpochLines
from dogbreed.training.history import HistoryLogger
from dogbreed.training.interruption import Interruption
from dogbreed.training.precision import automatic_precision
from dogbreed.training.resuming import Resuming
from dogbreed.training.unfreezing import GradualUnfreezing


def build_trainer(
    output_dir: str | Path,
    *,
    max_epochs: int = 10,
    precision: str = "auto",
    callbacks: Iterable[Callback] = (),
    accelerator: str = "auto",
    progress_bar: bool = True,
    **settings: Any,
) -> Trainer:
    """A Lightning Trainer that writes to `output_dir`.

    Args:
        output_dir: gets `checkpoints/`, `history.csv` and `tensorboard/`.
        max_epochs: how often every training photo is seen, at least 1.
        precision: "auto" for mixed precision where the machine has it, or one of Lightning's names.
        callbacks: see `build_callbacks`.
        accelerator: as Lightning's.
        progress_bar: whether a bar moves within an epoch, where the output is a terminal.
        settings: whatever else Lightning's Trainer takes.

    Raises:
        ConfigError: no epoch at all.
    """
    if max_epochs < 1:
        raise ConfigError(f"Expected trainer.max_epochs to be at least 1, got {max_epochs}.")
    output_dir, callbacks = Path(output_dir), list(callbacks)
    moving = progress_bar and sys.stdout.isatty()
    return Trainer(
        **{
            "max_epochs": max_epochs,
            "accelerator": accelerator,
            "precision": automatic_precision(accelerator) if precision == "auto" else precision,
            "callbacks": [*callbacks, *([TQDMProgressBar(leave=False)] if moving else [])],
            "logger": [
                HistoryLogger(output_dir / "history.csv"),
                TensorBoardLogger(output_dir, "tensorboard", ""),
            ],
            "plugins": [AtomicCheckpointIO()],
            "default_root_dir": output_dir,
            "enable_progress_bar": moving,
            # The data module's own order knows the ranks; Lightning's sampler would replace it.
            "use_distributed_sampler": False,
            "strategy": _strategy(callbacks, settings),
            "num_sanity_val_steps": 0,
            "enable_model_summary": False,
            "log_every_n_steps": 10,
            **settings,
        }
    )


def _strategy(callbacks: Iterable[Callback], settings: Mapping[str, Any]) -> str:
    several = settings.get("num_nodes", 1) > 1 or _device_count(settings.get("devices", 1)) > 1
    unfreezes = any(isinstance(callback, GradualUnfreezing) for callback in callbacks)
    # Otherwise each step would wait for gradients that a part which is still frozen does not have.
    return "ddp_find_unused_parameters_true" if several and unfreezes else "auto"


def _device_count(devices: Any) -> int:
    """How many of this machine's devices Lightning would take for `devices`."""
    if isinstance(devices, (list, tuple)):
        return len(devices)
    count = str(devices).strip()
    if count in ("auto", "-1"):
        return max(1, torch.cuda.device_count())
    return int(count) if count.isdigit() else len([part for part in count.split(",") if part.strip()])


def build_callbacks(
    output_dir: str | Path,
    *,
    seed: int = 42,
    patience: int | None = 5,
    ema_decay: float | None = None,
    unfreeze_epoch: int | None = None,
    checkpoint_seconds: float = 60.0,
    interruption: Interruption | None = None,
) -> list[Callback]:
    """The callbacks of a run.

    Args:
        output_dir: gets `checkpoints/`.
        seed: of whatever is random within a step.
        patience: epochs without a lower validation loss after which the run stops; None never stops early.
        ema_decay: of an exponential moving average of the weights, which is then what is evaluated and kept; None
            for none.
        unfreeze_epoch: the first epoch in which more than the head is trained; None for no gradual unfreezing.
        checkpoint_seconds: at least so long between two checkpoints that a run can resume from.
        interruption: says whether a signal has asked the run to stop.
    """
    checkpoints = Path(output_dir) / "checkpoints"
    optional: dict[str, tuple[bool, Any]] = {
        "stop": (patience is not None, lambda: EarlyStopping("val/loss", patience=patience or 0)),
        "ema": (ema_decay is not None, lambda: EMAWeightAveraging(decay=ema_decay or 0.0)),
        "unfreeze": (unfreeze_epoch is not None, lambda: GradualUnfreezing(unfreeze_epoch)),
    }
    return [
        Resuming(checkpoints, seed=seed, seconds=checkpoint_seconds, interruption=interruption),
        *(build() for wanted, build in optional.values() if wanted),
        BestCheckpoint(checkpoints, averaged=ema_decay is not None),
        LearningRateMonitor("step"),
        EpochLines(),
    ]
