"""What makes a run's figures weaker than they look, said loudly and kept in the artifact."""

from __future__ import annotations

from pytorch_lightning import Trainer

LIMITED = ("limit_train_batches", "limit_val_batches", "limit_test_batches")


def limits(trainer: Trainer) -> list[str]:
    """A sentence for each setting of the trainer that leaves photos out; empty for an unlimited run."""
    sentences = [
        f"trainer.{name} is {getattr(trainer, name)}: not all photos were used."
        for name in LIMITED
        if not _is_all(getattr(trainer, name))
    ]
    if getattr(trainer, "overfit_batches", 0):
        sentences.append("trainer.overfit_batches is set: tested on training photos.")
    if trainer.max_steps != -1:
        sentences.append(f"trainer.max_steps is {trainer.max_steps}: training may have stopped within an epoch.")
    return sentences


def _is_all(limit: int | float) -> bool:
    # Of the Trainer's limits 1.0 means all batches, 1 means one batch.
    return isinstance(limit, float) and limit == 1.0
