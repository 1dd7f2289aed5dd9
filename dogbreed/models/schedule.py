"""How the learning rate moves: linear warm-up, then half a cosine down to zero."""

from __future__ import annotations

import math
from collections.abc import Callable

from pytorch_lightning import LightningDataModule, Trainer

from dogbreed.errors import ConfigError


def warmup_cosine(step: int, *, warmup_steps: int, total_steps: int) -> float:
    """The factor of the learning rate at a step, in [0, 1] (Loshchilov and Hutter, 2017, without restarts).

    >>> [round(warmup_cosine(step, warmup_steps=2, total_steps=6), 2) for step in range(7)]
    [0.5, 1.0, 1.0, 0.85, 0.5, 0.15, 0.0]
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def constant(step: int, *, warmup_steps: int, total_steps: int) -> float:  # noqa: ARG001
    """Linear warm-up, then 1."""
    return min(1.0, (step + 1) / max(1, warmup_steps))


SCHEDULES: dict[str, Callable[..., float]] = {"cosine": warmup_cosine, "constant": constant}


def schedule(name: str, *, warmup: float, total_steps: int) -> Callable[[int], float]:
    """The schedule of a name as a function of the step.

    Args:
        name: a key of `SCHEDULES`.
        warmup: share of the steps that the warm-up takes, in [0, 1].
        total_steps: of the whole run.

    Raises:
        ConfigError: an unknown name, or a share out of range.
    """
    if name not in SCHEDULES:
        raise ConfigError(f"Expected model.schedule to be one of {', '.join(SCHEDULES)}, got {name!r}.")
    if not 0 <= warmup <= 1:
        raise ConfigError(f"Expected model.warmup to be in [0, 1], got {warmup}.")
    function, warmup_steps = SCHEDULES[name], round(warmup * total_steps)
    return lambda step: function(step, warmup_steps=warmup_steps, total_steps=total_steps)


def total_steps(trainer: Trainer) -> int:
    """How many steps the optimizer takes in the whole run.

    The trainer's own `estimated_stepping_batches` opens the training data to count it, which is too early in a run
    that resumes: the loader would begin at the first photo of the first epoch.
    """
    data: LightningDataModule | None = getattr(trainer, "datamodule", None)
    if data is None or not trainer.max_epochs or trainer.max_epochs < 0:
        return int(trainer.estimated_stepping_batches)
    batches, limit = len(data.train_dataloader()), trainer.limit_train_batches
    used = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    steps = math.ceil(used / trainer.accumulate_grad_batches) * trainer.max_epochs
    return steps if trainer.max_steps == -1 else min(steps, trainer.max_steps)
