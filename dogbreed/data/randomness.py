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
    """The processor's global generator begins at `seed` within the block, and is as it was after it."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)


def seed_devices(seed: int) -> None:
    """Let the global generators of the processor and of the devices in use begin at `seed`.

    `torch.manual_seed` notes for devices that are not in use who has asked for it: that takes 2 ms, more than a step
    of a linear head.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)
