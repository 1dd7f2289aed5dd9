"""One pass of a network over the photos of a split, kept on disk: memory does not grow with the number of photos."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from dogbreed.data.dataset import PhotoDataset
from dogbreed.data.folder import Split
from dogbreed.data.loading import loader_settings
from dogbreed.data.transforms import evaluation_transform, normalise
from dogbreed.errors import DataError
from dogbreed.models.network import BreedNetwork
from dogbreed.models.probabilities import mirrored

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


def answer(
    network: BreedNetwork,
    split: Split,
    folder: Path,
    *,
    name: str,
    mirror: bool = False,
    mixed_precision: bool = False,
    batch_size: int = 32,
    num_workers: int = 0,
) -> Answers:
    """Ask the network about every photo of a split, as prediction does; the network is in eval mode meanwhile.

    Args:
        network: on the device that computes.
        split: the photos; one that can no longer be read is left out and named in `unreadable`.
        folder: gets the arrays.
        name: of the split, on the progress bar.
        mirror: whether to ask about the mirror image of each photo as well.
        mixed_precision: whether bfloat16 may compute: faster, for what needs no last digit.
        batch_size: photos at once.
        num_workers: processes that open photos.
    """
    rows = _Rows(folder, name, len(split), mirror)
    loader = DataLoader(
        _Photos(PhotoDataset(split, evaluation_transform(network.preprocessing))),
        collate_fn=_collated,
        **loader_settings(batch_size, num_workers, seed=0),
    )
    device, was_training = next(network.parameters()).device, network.training
    network.eval()
    bar = tqdm(total=len(split), desc=f"Looking at {name}", unit=" photos", disable=None, leave=False, file=sys.stderr)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=mixed_precision), bar:
        for positions, images, faults in loader:
            rows.unreadable.update(faults)
            bar.update(len(positions) + len(faults))
            if len(positions):
                _answer_batch(network, normalise(images.to(device), network.preprocessing), positions, rows)
    network.train(was_training)
    return rows.answers(split)


def _answer_batch(network: BreedNetwork, images: Tensor, positions: list[int], rows: _Rows) -> None:
    for view, seen in enumerate([images, mirrored(images)] if rows.mirror else [images]):
        # An image in another layout than the weights' takes a slower path.
        features = network.features(seen.contiguous(memory_format=torch.channels_last))
        rows.write(view, positions, network.head(features).float().cpu(), features.float().cpu())


class _Rows:
    """Arrays on disk that are made when the first batch says how wide they are."""

    def __init__(self, folder: Path, name: str, size: int, mirror: bool) -> None:
        self.folder, self.name, self.size, self.mirror = folder, name, size, mirror
        self.unreadable: dict[int, str] = {}
        self._arrays: dict[tuple[str, int], Any] = {}

    def write(self, view: int, positions: list[int], logits: Tensor, features: Tensor) -> None:
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


class _Photos(Dataset[tuple[int, Tensor | str]]):
    """Pairs of a position and the photo there, or what is wrong with it: one bad file does not end the pass."""

    def __init__(self, photos: PhotoDataset) -> None:
        self.photos = photos

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, position: int) -> tuple[int, Tensor | str]:
        try:
            return position, self.photos[position][0]
        except DataError as error:
            return position, str(error)


def _collated(items: list[tuple[int, Tensor | str]]) -> tuple[list[int], Tensor, dict[int, str]]:
    read = [(position, image) for position, image in items if isinstance(image, Tensor)]
    faults = {position: message for position, message in items if isinstance(message, str)}
    images = torch.stack([image for _, image in read]) if read else torch.empty(0)
    return [position for position, _ in read], images, faults
