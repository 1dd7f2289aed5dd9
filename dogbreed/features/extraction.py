"""One pass of a frozen part over photos: rows of features, in blocks as they are stored."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from dogbreed.data.loading import loader_settings
from dogbreed.data.photo_views import PhotoView, ViewDataset, collated
from dogbreed.data.transforms import Preprocessing, normalise

BATCH_SIZE = 16  # measured: the same speed from 16 to 64, and memory grows with it
BLOCK_BYTES = 64 * 2**20
BLOCK_ROWS = 512  # at most so many photos are looked at again after a crash


def extract(
    views: Sequence[PhotoView],
    forward: Callable[[Tensor], Tensor],
    *,
    preprocessing: Preprocessing,
    device: torch.device,
    dtype: torch.dtype,
    num_workers: int = 0,
    name: str = "photos",
    faults: dict[PhotoView, str],
    before_batch: Callable[[], None] = lambda: None,
) -> Iterator[dict[str, Tensor]]:
    """What a frozen part says of photos, by the key of each view, a block at a time.

    Args:
        views: the photos.
        forward: normalised images on the device to activations.
        preprocessing: of the network.
        device: that computes.
        dtype: of the rows.
        num_workers: processes that open photos.
        name: of what is looked at, on the progress bar.
        faults: gets what is wrong with photos that cannot be read; they have no row.
        before_batch: is called before each batch, and may raise to stop.
    """
    loader = DataLoader(
        ViewDataset(views, preprocessing), collate_fn=collated, **loader_settings(BATCH_SIZE, num_workers, seed=0)
    )
    bar = tqdm(total=len(views), desc=f"Features of {name}", unit=" images", disable=None, leave=False, file=sys.stderr)
    block = _Block(len(views), dtype)
    with bar:
        for positions, images, unread in loader:
            before_batch()
            faults.update({views[position]: message for position, message in unread.items()})
            if positions:
                rows = forward(normalise(images.to(device), preprocessing))
                block.add([views[position].key for position in positions], rows)
            bar.update(len(positions) + len(unread))
            if block.is_full:
                yield block.rows()
                block = _Block(len(views), dtype)
    if block.keys:
        yield block.rows()


class _Block:
    """Rows side by side in one tensor: those of a batch by themselves would split memory that the next one needs."""

    def __init__(self, most: int, dtype: torch.dtype) -> None:
        self.keys: list[str] = []
        self._most, self._dtype = most, dtype
        self._values = torch.empty(0)

    def add(self, keys: Sequence[str], rows: Tensor) -> None:
        """Copy the rows of a batch."""
        if not self.keys:
            row_bytes = rows[0].numel() * self._dtype.itemsize
            room = max(min(self._most, BLOCK_ROWS, BLOCK_BYTES // row_bytes), BATCH_SIZE)
            self._values = torch.empty(room, *rows.shape[1:], dtype=self._dtype)
        self._values[len(self.keys) : len(self.keys) + len(keys)] = rows
        self.keys += keys

    @property
    def is_full(self) -> bool:
        """Whether another batch might not find room."""
        return bool(self.keys) and len(self.keys) + BATCH_SIZE > len(self._values)

    def rows(self) -> dict[str, Tensor]:
        """Each row by its key."""
        return dict(zip(self.keys, self._values, strict=False))
