"""A run that was interrupted goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from dogbreed.data.randomness import derived_seed, seed_devices
from dogbreed.errors import CheckpointError
from dogbreed.training.checkpoint_io import read_checkpoint
from dogbreed.training.interruption import Interrupted, Interruption

# The newest may be damaged by a failing disk: the one before it is kept too.
KEPT = 2
PATTERN = "resume-*.ckpt"


class Resuming(Callback):
    """Stores the whole state of the run before a step, from time to time and when it is asked to stop.

    A checkpoint is written at one place only, before a step: every counter of the loop is whole there. Each step's
    randomness is seeded there too, by the run's seed and the step, so that no generator needs to be stored.

    Args:
        folder: of the checkpoints.
        seed: of the run.
        seconds: at least so long between two checkpoints; 0 writes one before every step.
        interruption: says whether a signal has asked the run to stop.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        seed: int,
        seconds: float = 60.0,
        interruption: Interruption | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.seed = seed
        self.seconds = seconds
        self.interruption = interruption or Interruption()
        self._last = time.monotonic()

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.interruption.listen_again()
        _check_same_step(trainer)

    @override
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        # Looked at once: a signal that comes after this is one for the next step.
        due, number = self._agreed(trainer, time.monotonic() - self._last >= self.seconds)
        if number is not None or due:
            self._save(trainer)
        if number is not None:
            raise Interrupted(number)
        # The first process's are those of a run in one process.
        rank = [trainer.global_rank] if trainer.global_rank else []
        seed_devices(derived_seed(self.seed, "step", trainer.current_epoch, batch_idx, *rank))
        # Lightning counts the step after which it believes a checkpoint was written a second time.
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step

    @override
    def on_test_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self.interruption.stop_if_asked()

    def _agreed(self, trainer: Trainer, due: bool) -> tuple[bool, int | None]:
        """Whether a checkpoint is due and which signal came, in any process: one that went on would wait for ever."""
        number = self.interruption.signal
        if trainer.world_size == 1:
            return due, number
        asked = torch.tensor([int(due), number or 0], device=trainer.strategy.root_device)
        due_anywhere, number_anywhere = trainer.strategy.reduce(asked, reduce_op="max").tolist()
        return bool(due_anywhere), number_anywhere or None

    def _save(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self.folder / f"resume-{trainer.global_step:08d}.ckpt")
        self._last = time.monotonic()
        if trainer.is_global_zero:
            # By time, not by step: a damaged one of a later step must not push out the ones that were used instead.
            written = sorted(self.folder.glob(PATTERN), key=lambda path: path.stat().st_mtime_ns, reverse=True)
            for old in written[KEPT:]:
                old.unlink()


def _check_same_step(trainer: Trainer) -> None:
    if trainer.world_size > 1:
        step = trainer.global_step
        last, first = trainer.strategy.reduce(
            torch.tensor([step, -step], device=trainer.strategy.root_device), reduce_op="max"
        ).tolist()
        if last != -first:
            raise CheckpointError(
                f"Expected every process to go on from the same checkpoint, got steps {-first} to {last}: give every "
                "host the checkpoints that the first one has written, or none."
            )


def stopping(trainer: Trainer) -> Callable[[], None]:
    """What raises `Interrupted` where the run was asked to stop, for work of the trainer's run outside its loops."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    return next((c.interruption.stop_if_asked for c in callbacks if isinstance(c, Resuming)), lambda: None)


def resume_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints that a run can go on from, newest first."""
    return sorted(folder.glob(PATTERN), reverse=True)


def newest_checkpoint(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest checkpoint that can be read, and what was wrong with those after it."""
    faults: list[str] = []
    for path in resume_checkpoints(folder):
        try:
            read_checkpoint(path)
        except CheckpointError as error:
            faults.append(str(error))
        else:
            return path, faults
    return None, faults
