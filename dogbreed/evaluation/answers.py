"""What a network said of photos, kept on disk: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from dogbreed.data.folder import Split
from dogbreed.errors import DataError

BLOCK = 1024  # photos


@dataclass(frozen=True)
class Answers:
    """What a network said of each photo of a split, a row a photo.

    `logits` has shape (photos, num_classes), `features` what comes before the head; those of the mirror
    images are None where they were not asked for. The arrays lie on disk.
    """

    split: Split
    logits: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    mirrored_logits: npt.NDArray[np.float32] | None = None
    mirrored_features: npt.NDArray[np.float32] | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def targets(self) -> npt.NDArray[np.int64]:
        """Of every photo, shape (photos,)."""
        return np.asarray(self.split.targets, dtype=np.int64)

    def blocks(self, size: int = BLOCK) -> Iterator[slice]:
        """The rows in parts that are small enough for memory."""
        return (slice(start, start + size) for start in range(0, len(self.split), size))


class AnswerRows:
    """Arrays on disk that are made when the first batch says how wide they are."""

    def __init__(self, folder: Path, name: str, size: int, mirror: bool) -> None:
        self.folder, self.name, self.size, self.mirror = folder, name, size, mirror
        self.unreadable: dict[int, str] = {}
        self._arrays: dict[tuple[str, int], Any] = {}

    def write(self, view: int, positions: list[int], logits: Tensor, features: Tensor) -> None:
        """Note what was said of the photos at these positions, or of their mirror images where `view` is 1."""
        for kind, values in {"logits": logits, "features": features}.items():
            self._array(kind, view, values.shape[1])[positions] = values.numpy()

    def _array(self, kind: str, view: int, width: int) -> Any:
        if (kind, view) not in self._arrays:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{self.name}-{kind}-{view}.npy"
            shape = (self.size, width)
            self._arrays[kind, view] = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        return self._arrays[kind, view]

    def answers(self, split: Split) -> Answers:
        """What was said of the photos that could be read.

        Raises:
            DataError: there is none.
        """
        if not self._arrays:
            faults = next(iter(self.unreadable.values()), "")
            raise DataError(f"Expected photos to judge in {self.name}, found none that can be read. {faults}")
        lost = frozenset(split.paths[position] for position in self.unreadable)
        kept = [position for position in range(self.size) if position not in self.unreadable]
        arrays = {key: array[kept] if lost else array for key, array in self._arrays.items()}
        return Answers(
            split.without(lost) if lost else split,
            arrays["logits", 0],
            arrays["features", 0],
            arrays.get(("logits", 1)),
            arrays.get(("features", 1)),
            tuple(self.unreadable.values()),
        )
