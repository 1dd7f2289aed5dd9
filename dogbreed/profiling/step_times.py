"""How long each part of a training step takes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.profilers import Profiler
from typing_extensions import override

from dogbreed.profiling.layout import node_name
from dogbreed.profiling.loop_watch import LoopWatch
from dogbreed.profiling.phases import LOADER, VALIDATION, Span
from dogbreed.profiling.step_clock import StepClock
from dogbreed.profiling.step_records import read_steps, write_steps
from dogbreed.profiling.trace_files import TraceFiles


class StepTimes(Callback):
    """Writes how long the loop waits for data, and forward pass, backward pass, optimizer and whole step take.

    Validations and the writing of checkpoints are noted too. A step is a batch: with gradient accumulation, not every
    one has an optimizer's part. It runs from the request for its photos to the end of its work; what is in no part is
    the copy to the device and the callbacks.

    On a GPU nothing is waited for, which would change what is measured: the times are those the program takes to hand
    out work, and whichever part waits for the GPU to catch up (often the one that reads a number back) seems long. The
    whole step is right on average all the same.

    Args:
        folder: gets `framework/pevents/`, which smdebug can read, and `steps.csv` when the run ends, by an error too.
        node: "algo-1" and so on.
    """

    def __init__(self, folder: str | Path, *, node: str = node_name(0)) -> None:
        self._folder = Path(folder)
        self._node = node
        self._clock = StepClock()
        self._files: TraceFiles | None = None
        self._validating: float | None = None

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit" and trainer.is_global_zero and self._files is None:
            self._clock = StepClock()
            self._files = TraceFiles(self._folder, self._node)
            _put_profiler(trainer, LoopWatch(_profiler(trainer), self._clock.begin, self._clock.end))

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loader: Any = trainer.train_dataloader
        workers, pinned = getattr(loader, "num_workers", None), getattr(loader, "pin_memory", False)
        if workers is not None:
            now = self._clock.now()
            self._write([Span(LOADER, now, now, 0, {"num_workers": int(workers), "pin_memory": bool(pinned)})])

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._write(self._clock.take(_step(trainer), whole=True))

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._validating = None if trainer.sanity_checking else self._clock.now()

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._validating is not None:
            self._clock.add(VALIDATION, self._validating, self._clock.now())
            self._write(self._clock.take(_step(trainer), whole=False))
            self._validating = None

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._close(trainer)

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._close(trainer)

    def _write(self, spans: list[Span]) -> None:
        if self._files is not None:
            # A full disk ends the run at its checkpoints, not here.
            with suppress(OSError):
                self._files.write(spans)

    def _close(self, trainer: Trainer) -> None:
        if isinstance(watch := _profiler(trainer), LoopWatch):
            _put_profiler(trainer, watch.inner)
        if self._files is not None:
            self._write(self._clock.take(_step(trainer), whole=False))
            with suppress(OSError):
                self._files.close()
                write_steps(self._folder, read_steps(self._folder))
            self._files = None


def _step(trainer: Trainer) -> int:
    return max(0, trainer.fit_loop.epoch_loop.total_batch_idx)


# Lightning's own annotations leave the attribute out.
def _profiler(trainer: Any) -> Profiler:
    profiler: Profiler = trainer.profiler
    return profiler


def _put_profiler(trainer: Any, profiler: Profiler) -> None:
    trainer.profiler = profiler
