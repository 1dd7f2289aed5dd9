"""Which operators of torch a training step spends its time and memory on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch.profiler import ProfilerActivity, profile
from typing_extensions import override

from dogbreed.atomic import write_text
from dogbreed.errors import ConfigError
from dogbreed.profiling.layout import OPERATORS_FILE

LISTED = 20


class OperatorProfile(Callback):
    """Watches a few training steps with torch's profiler.

    A step takes longer while it is watched. Watching ends with the epoch, or with the run: what was seen until then is
    written.

    Args:
        folder: gets `operators.json`: `first_step`, `steps` (how many were watched), `by_self_time` and
            `by_self_memory`, each with the `LISTED` largest: name, calls, self_ms (milliseconds, of the GPU where there
            is one), share (of all operators' self_ms), memory_bytes (what it allocated less what it gave back).
        num_steps: to watch, at least 1.
        start_step: the first step of this process to watch, from 0; the very first ones do what later ones need not.

    Raises:
        ConfigError: no steps, or a negative one to begin with.
    """

    def __init__(self, folder: str | Path, num_steps: int = 10, start_step: int = 5) -> None:
        if num_steps < 1 or start_step < 0:
            raise ConfigError(f"Expected profiler.num_steps to be at least 1, got {num_steps} from step {start_step}.")
        self._path = Path(folder) / OPERATORS_FILE
        self._num_steps = num_steps
        self._start_step = start_step
        self._profile: profile | None = None
        self._begun = self._ended = self._first = 0

    @override
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if self._begun == self._start_step and trainer.is_global_zero:
            self._first = trainer.fit_loop.epoch_loop.total_batch_idx
            # Else its library reports to the terminal that it starts, stops, and has found no GPU.
            os.environ.setdefault("KINETO_LOG_LEVEL", "99")
            self._profile = profile(activities=_activities(trainer), profile_memory=True, acc_events=True)
            self._profile.start()
        self._begun += 1

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._ended += 1
        if self._ended == self._start_step + self._num_steps:
            self._finish()

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._finish()

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._finish()

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._finish()

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._profile is not None:
            watched, self._profile = self._profile, None
            watched.stop()
            if (steps := self._ended - self._start_step) > 0:
                found = {"first_step": self._first, "steps": steps, **summary(watched.key_averages())}
                # A full disk ends the run at its checkpoints, not here.
                with suppress(OSError):
                    write_text(self._path, json.dumps(found, indent=2))


def summary(averages: Any) -> dict[str, list[dict[str, Any]]]:
    """The operators that take most time and most memory by themselves, without those that they call.

    Args:
        averages: what `torch.profiler.profile.key_averages` gives.
    """
    # The GPU's own kernels are listed too, but their times are already those of the operators that called them.
    operators = [average for average in averages if average.device_type.name == "CPU"]
    seconds = _milliseconds(any(operator.self_device_time_total for operator in operators))
    whole = sum(map(seconds, operators)) or 1.0
    rows = [_row(operator, seconds(operator), whole) for operator in operators]
    return {
        f"by_{name}": _largest(rows, key) for name, key in (("self_time", "self_ms"), ("self_memory", "memory_bytes"))
    }


def _largest(rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row[key], reverse=True)[:LISTED]


def _row(operator: Any, milliseconds: float, whole: float) -> dict[str, Any]:
    return {
        "name": operator.key,
        "calls": operator.count,
        "self_ms": round(milliseconds, 3),
        "share": round(milliseconds / whole, 4),
        "memory_bytes": operator.self_cpu_memory_usage + operator.self_device_memory_usage,
    }


def _milliseconds(on_gpu: bool) -> Callable[[Any], float]:
    name = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    return lambda operator: float(getattr(operator, name)) / 1e3


def _activities(trainer: Trainer) -> list[ProfilerActivity]:
    on_gpu = trainer.strategy.root_device.type == "cuda" and torch.cuda.is_available()
    return [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
