"""A block: many rows in one file that never changes, checked before it is believed, read without being loaded.

The file is safetensors: a flat tensor `values`, and the rows' keys and shapes as JSON in its metadata. It is called by
the SHA-256 of all its bytes, so that no flipped byte, be it in the header, goes unnoticed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dogbreed.atomic import atomic_write
from dogbreed.caching.layout import BLOCK_SUFFIX

Shape = tuple[int, ...]


class Row(NamedTuple):
    """Where a row lies: the elements from `start` to `stop` of the block's values, in the shape."""

    values: Tensor
    start: int
    stop: int
    shape: Shape

    def tensor(self) -> Tensor:
        """A view on the file."""
        return self.values[self.start : self.stop].view(self.shape)


@dataclass(frozen=True)
class Block:
    """The values of a block, flat and mapped into memory, and the key and shape of each row in their order."""

    values: Tensor
    keys: tuple[str, ...]
    shapes: tuple[Shape, ...]

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Each key and where its row lies."""
        ends = accumulate(map(math.prod, self.shapes), initial=0)
        for key, shape, (start, stop) in zip(self.keys, self.shapes, pairwise(ends), strict=True):
            yield key, Row(self.values, start, stop, shape)


def write_block(folder: Path, rows: Mapping[str, Tensor]) -> Path:
    """Write rows as a block, whole or not at all; needs twice their bytes of memory.

    Args:
        folder: made if it is not there.
        rows: at least one, of any shapes and devices, all of one dtype.

    Raises:
        OSError: no space, no permission, a failing disk.
        ValueError: no row, or rows of several dtypes.
    """
    dtypes = {row.dtype for row in rows.values()}
    if len(dtypes) != 1:
        raise ValueError(f"Expected rows of one dtype, got {sorted(map(str, dtypes))}.")
    values = torch.cat([row.detach().cpu().reshape(-1) for row in rows.values()])
    shapes = [list(row.shape) for row in rows.values()]
    content = save({"values": values}, {"keys": json.dumps(list(rows)), "shapes": json.dumps(shapes)})
    path = folder / f"{hashlib.sha256(content).hexdigest()}{BLOCK_SUFFIX}"
    with atomic_write(path) as file:
        file.write(content)
    return path


def read_block(path: Path) -> Block | None:
    """The block of a file, or None where there is none that can be used; a damaged one is removed.

    Its bytes pass through memory to be checked and do not stay there.
    """
    try:
        block = map_block(path) if _is_whole(path) else None
    except OSError:
        return None
    # Whole, but not of this format.
    except (SafetensorError, LookupError, TypeError, ValueError):
        block = None
    if block is None:
        with suppress(OSError):
            path.unlink()
    return block


def map_block(path: Path) -> Block:
    """The block of a file that is known to be whole.

    Raises:
        OSError: the file is not there, or cannot be read.
    """
    with safe_open(path, framework="pt") as file:
        values, metadata = file.get_tensor("values"), file.metadata()
    # One object for all rows of one shape.
    known: dict[Shape, Shape] = {}
    shapes = tuple(known.setdefault(shape, shape) for shape in map(tuple, json.loads(metadata["shapes"])))
    return Block(values, tuple(json.loads(metadata["keys"])), shapes)


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == path.stem
