"""What the machine does beside the run, written down twice a second."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from dogbreed.errors import ConfigError
from dogbreed.profiling.event_files import EventFiles
from dogbreed.profiling.gauge import Reading
from dogbreed.profiling.gpus import gpu_gauges
from dogbreed.profiling.layout import node_name
from dogbreed.profiling.machine import machine_gauges

SHORTEST = 0.1  # seconds, as SageMaker's


class Sampler:
    """A thread that writes what processor, memory, disk, network and GPUs do, until it is stopped.

    What cannot be read or written at a moment is left out, and the run goes on. What a platform does not have is
    never there: I/O wait outside Linux, anything of a GPU without one. Reading takes about a millisecond.

    Args:
        folder: gets `system/incremental/<YYYYMMDDHH>/<seconds>.<node>.json`, a JSON object a line.
        interval: between two samples, in seconds, at least `SHORTEST`.
        node: "algo-1" and so on.

    Raises:
        ConfigError: a shorter interval, or psutil is not installed.
    """

    def __init__(self, folder: str | Path, *, interval: float = 0.5, node: str = node_name(0)) -> None:
        if not interval >= SHORTEST:
            raise ConfigError(f"Expected profiler.interval to be at least {SHORTEST} seconds, got {interval}.")
        self._interval = interval
        self._files = EventFiles(Path(folder), node)
        self._gauges = [*machine_gauges(), *gpu_gauges()]
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; nothing where it has begun already. The first sample follows an interval later."""
        if self._thread is None:
            self._stopping.clear()
            self._files.begin(time.time())
            self._thread = threading.Thread(target=self._run, name="dogbreed-sampler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, and close the file; nothing where it is not running."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        # Speeds are differences: the first reading has none.
        self._read()
        due = time.monotonic() + self._interval
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            # After a pause of the machine, the samples that were missed are not made up for.
            due = max(due + self._interval, time.monotonic())
            readings = self._read()
            # A full disk ends the run at its checkpoints, not here.
            with suppress(OSError):
                self._files.write(time.time(), readings)
        with suppress(OSError):
            self._files.close()

    def _read(self) -> list[Reading]:
        readings: list[Reading] = []
        for gauge in self._gauges:
            # Whatever a platform answers with where it has no such figure.
            with suppress(Exception):
                readings.extend(gauge(time.monotonic()))
        return readings
