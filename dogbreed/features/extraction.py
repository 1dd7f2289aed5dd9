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
    block: dict[str, Tensor] = {}
    with bar:
        for positions, images, unread in loader:
            before_batch()
            faults.update({views[position]: message for position, message in unread.items()})
            if positions:
                rows = forward(normalise(images.to(device), preprocessing)).to("cpu", dtype)
                block |= {views[position].key: row for position, row in zip(positions, rows, strict=True)}
            bar.update(len(positions) + len(unread))
            if _is_full(block):
                yield block
                block = {}
    if block:
        yield block


def _is_full(block: dict[str, Tensor]) -> bool:
    if not block:
        return False
    row = next(iter(block.values()))
    return len(block) >= BLOCK_ROWS or len(block) * row.nbytes >= BLOCK_BYTES
