"""A job of SageMaker's training toolkit without the toolkit: its environment, its folders, and the archive's entry."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

# A run of seconds: few photos, a small network, no more than the figures at the end.
QUICK = (
    "model.backbone=shufflenet_v2_x0_5",
    "model.weights=null",
    "model.image_size=32",
    "model.frozen=false",
    "data.batch_size=8",
    "data.num_workers=0",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "callbacks.checkpoint_seconds=0",
    "report=false",
    "evaluation.mirror=false",
    "evaluation.duplicates=false",
)

PRELOADED = ["dogbreed.job.results", "dogbreed.job.running", "dogbreed.training.notices", "dogbreed.training.trainer"]
PRELOADED += ["dogbreed.evaluation.evaluation", "dogbreed.evaluation.results", "dogbreed.training.results"]


@dataclass(frozen=True)
class SmallJob:
    """A job in a folder that stands for `/opt/ml`, started as often as asked for."""

    base: Path
    channels: Mapping[str, Path]
    overrides: Sequence[str] = QUICK
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    trial: bool = False
    hosts: Sequence[str] = ("algo-1",)

    def variables(self) -> dict[str, str]:
        """What the toolkit sets, of what is read."""
        return {
            "SAGEMAKER_BASE_DIR": str(self.base),
            "SM_HPS": json.dumps(self.hyperparameters),
            "SM_CHANNELS": json.dumps(sorted(self.channels)),
            **{f"SM_CHANNEL_{name.upper()}": str(self.base / "input/data" / name) for name in self.channels},
            "SM_INPUT_CONFIG_DIR": str(self.base / "input/config"),
            "SM_MODEL_DIR": str(self.base / "model"),
            "SM_OUTPUT_DIR": str(self.base / "output"),
            "SM_OUTPUT_DATA_DIR": str(self.base / "output/data"),
            "SM_HOSTS": json.dumps(self.hosts),
            "TRAINING_JOB_NAME": "dogbreed-1",
            "DOGBREED_CACHE": str(self.base.parent / f"{self.base.name}.cache"),
        }

    def prepare(self) -> Path:
        """The folders as the service makes them; the archive's."""
        for folder in ("input/config", "input/data", "model", "output/data", "code"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        for name, folder in self.channels.items():
            channel = self.base / "input/data" / name
            if not channel.is_symlink():
                channel.symlink_to(folder)
        code = self.base / "code"
        (code / "run.json").write_text(json.dumps({"overrides": list(self.overrides), "trial": self.trial}))
        (code / "container_entry.py").write_text("from dogbreed.container import main\n\nmain()\n")
        return code

    def start(self, **variables: str) -> BaseProcess:
        """The entry in a process of its own, with more variables."""
        entry = str(self.prepare() / "container_entry.py")
        return started("dogbreed.container:main", [entry], self.log, {**self.variables(), **variables})

    def run(self) -> int:
        """The status that the job ends with, -N for signal N."""
        return status(self.start())

    @property
    def log(self) -> Path:
        return self.base.with_name(f"{self.base.name}.log")

    @property
    def output(self) -> str:
        """What all attempts have printed."""
        return self.log.read_text()

    @property
    def failure(self) -> str:
        """What the service would show as the reason."""
        return (self.base / "output/failure").read_text()

    @property
    def run_dir(self) -> Path:
        return self.base / "checkpoints/run"


def start_together(*jobs: SmallJob) -> list[BaseProcess]:
    """A process of each job, told what torchrun tells those of one job."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    count = str(len(jobs))
    same = {"WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "none"}
    same |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [job.start(RANK=str(rank), LOCAL_RANK=str(rank), **same) for rank, job in enumerate(jobs)]


def started(function: str, arguments: Sequence[str], log: Path, variables: Mapping[str, str]) -> BaseProcess:
    """A function called as a program, in a process forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=_call, args=(function, list(arguments), log, dict(variables)))
    process.start()
    return process


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("It did not happen within half a minute.")


def status(process: BaseProcess) -> int:
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _call(function: str, arguments: list[str], log: Path, variables: Mapping[str, str]) -> None:
    from importlib import import_module

    import torch

    torch.set_num_threads(1)
    os.environ.update(variables)
    sys.argv[:] = arguments
    sys.stdout = sys.stderr = log.open("a", buffering=1)
    module, _, name = function.partition(":")
    getattr(import_module(module), name)()
