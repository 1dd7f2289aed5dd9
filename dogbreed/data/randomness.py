"""Randomness that depends on where a run is, not on how it came there.

Every random draw of a run comes from a generator seeded by (seed, position). A run that was interrupted and resumed
therefore draws what the uninterrupted one draws, with any number of workers, and no generator state is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derived_seed(*parts: int | str) -> int:
    """A seed in [0, 2**63) that is a hash of `parts`.

    >>> derived_seed(42, "order", 0) == derived_seed(42, "order", 0)
    True
    >>> derived_seed(42, "order", 0) == derived_seed(42, "order", 1)
    False
    """
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's global generator begins at `seed` within the block, and is as it was after it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
