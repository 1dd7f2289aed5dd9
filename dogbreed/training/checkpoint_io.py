"""How Lightning's checkpoints reach the disk and come back: whole, or with an error."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from typing_extensions import override

from dogbreed.atomic import atomic_write
from dogbreed.errors import CheckpointError


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes atomically in the target's own folder, and reads nothing but tensors and plain values.

    Lightning's own saving is atomic only where the temporary folder lies on the same file system, does not wait for
    the disk, and says nothing where it has no permission.
    """

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        try:
            with atomic_write(Path(path)) as file:
                torch.save(checkpoint, file)
        except (OSError, RuntimeError) as error:
            raise CheckpointError(f"Cannot write the checkpoint {path}: {error}") from error

    @override
    def load_checkpoint(
        self, path: str | Path, map_location: Any = "cpu", weights_only: bool | None = True
    ) -> dict[str, Any]:
        return read_checkpoint(Path(path), map_location)


def read_checkpoint(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """A checkpoint as a dict of tensors and plain values.

    Raises:
        CheckpointError: it is missing, truncated or damaged.
    """
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location=map_location, weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:160]
        raise CheckpointError(f"Cannot read the checkpoint {path}: {reason}") from error
    return checkpoint
