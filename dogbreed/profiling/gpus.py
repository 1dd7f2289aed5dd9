"""Graphics processors, by NVIDIA's management library."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from dogbreed.profiling.gauge import Gauge, Reading


def gpu_gauges() -> list[Gauge]:
    """A gauge for each GPU that this process may use; none where there is no GPU or no `pynvml`."""
    try:
        import pynvml

        pynvml.nvmlInit()
        indices = visible(pynvml.nvmlDeviceGetCount(), os.environ.get("CUDA_VISIBLE_DEVICES"))
        handles = [(index, pynvml.nvmlDeviceGetHandleByIndex(index)) for index in indices]
    # A library that is missing and a driver that is missing, broken or forbidden are one to us.
    except Exception:
        return []
    return [Gpu(index, handle) for index, handle in handles]


def visible(count: int, choice: str | None) -> list[int]:
    """The numbers of the GPUs that `CUDA_VISIBLE_DEVICES` leaves; all of them where it names none by number.

    >>> visible(4, None), visible(4, "2,3"), visible(4, "GPU-8a1f"), visible(4, "")
    ([0, 1, 2, 3], [2, 3], [0, 1, 2, 3], [])
    """
    parts = [part.strip() for part in choice.split(",")] if choice else []
    if choice is None or not all(part.isdigit() for part in parts):
        return list(range(count))
    return [int(part) for part in parts if int(part) < count]


class Gpu:
    """How much of the time a GPU computes, and how much of its memory is taken, in percent."""

    def __init__(self, index: int, handle: Any) -> None:
        self._name = f"gpu{index}"
        self._handle = handle

    def __call__(self, _: float) -> Iterator[Reading]:
        """Two readings, or what of them this GPU can tell."""
        for dimension, read in READERS.items():
            # A part of a shared GPU does not know how busy it is.
            with suppress(Exception):
                yield Reading("gpu", self._name, dimension, read(self._handle))


def _busy(handle: Any) -> float:
    import pynvml

    return float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)


def _taken(handle: Any) -> float:
    import pynvml

    # Not the rates' own "memory": that is how busy the memory's bus is.
    info = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return 100.0 * float(info.used) / float(info.total)


READERS: dict[str, Callable[[Any], float]] = {"GPUUtilization": _busy, "GPUMemoryUtilization": _taken}
