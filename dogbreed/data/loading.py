"""How photos are fetched: the settings that every loader of this project has in common."""

from __future__ import annotations

import os
import sys
from typing import Any

import torch

from dogbreed.data.randomness import derived_seed


def loader_settings(batch_size: int, num_workers: int, seed: int) -> dict[str, Any]:
    """Arguments of `torch.utils.data.DataLoader`."""
    return {
        "batch_size": batch_size,
        "num_workers": num_workers,
        "persistent_workers": num_workers > 0,
        # Workers from a fork server do not notice that the run was killed and stay for ever, and each imports
        # torch anew; a forked one ends with its parent and starts at once.
        "multiprocessing_context": "fork" if num_workers > 0 and sys.platform == "linux" else None,
        "pin_memory": torch.cuda.is_available(),
        # Its own generator: a loader would otherwise draw from the run's.
        "generator": torch.Generator().manual_seed(derived_seed(seed, "workers")),
    }


def default_workers() -> int:
    """Half of the cores this process may use, 8 at most: the other half computes."""
    # macOS does not tell which cores a process may use.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(8, cores // 2)
