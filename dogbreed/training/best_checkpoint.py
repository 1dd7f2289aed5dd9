"""The weights of the best epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import ModelCheckpoint
from typing_extensions import override


class BestCheckpoint(ModelCheckpoint):
    """Keeps the weights of the epoch with the lowest validation loss, in `best.ckpt`.

    Args:
        folder: of the checkpoint.
        averaged: whether a callback averages the weights. What was validated is then the average, which only a whole
            checkpoint holds: Lightning's weights-only ones pass the callbacks by.
    """

    def __init__(self, folder: str | Path, *, averaged: bool = False) -> None:
        super().__init__(
            folder,
            "best",
            monitor="val/loss",
            save_weights_only=not averaged,
            enable_version_counter=False,
            save_last=False,
        )

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        # A run whose folder was moved would otherwise forget which epoch was the best, and keep a worse one.
        super().load_state_dict(_relocated(state_dict, str(state_dict["dirpath"]), str(self.dirpath)))


def _relocated(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {_relocated(key, old, new): _relocated(item, old, new) for key, item in value.items()}
    return new + value[len(old) :] if isinstance(value, str) and value.startswith(old) else value
