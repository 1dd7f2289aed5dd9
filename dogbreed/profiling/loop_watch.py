"""What Lightning's loop is about to do, and when it has done it."""

from __future__ import annotations

from collections.abc import Callable

from pytorch_lightning.profilers import Profiler
from typing_extensions import override

Watcher = Callable[[str], None]


class LoopWatch(Profiler):
    """Lightning names what it does to its profiler; this one tells two functions and then the profiler in its place.

    Only here does Lightning say when it waits for a batch and when it writes a checkpoint: no hook does.

    Args:
        inner: the Trainer's own profiler.
        begun: is called with the name of what begins.
        ended: is called with the name of what has ended, by an error too.
    """

    def __init__(self, inner: Profiler, begun: Watcher, ended: Watcher) -> None:
        super().__init__()
        self.inner = inner
        self._begun = begun
        self._ended = ended

    @override
    def start(self, action_name: str) -> None:
        self.inner.start(action_name)
        self._begun(action_name)

    @override
    def stop(self, action_name: str) -> None:
        self._ended(action_name)
        self.inner.stop(action_name)
