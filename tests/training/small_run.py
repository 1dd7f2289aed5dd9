"""A ten-step run in a process of its own, which a real signal can end."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEPS = 10


@dataclass(frozen=True)
class Ending:
    """When and how a run is ended: by a signal after a step, or within the writing of the n-th checkpoint."""

    signal: int | None = None
    step: int | None = None
    fsync: int | None = None


def run(photos: Path, output_dir: Path, *, workers: int = 0, ending: Ending | None = None, **settings: Any) -> int:
    """Run in a child process forked from one that has imported everything; its exit status, -N for signal N."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dogbreed.training.run", "dogbreed.training.trainer"])
    child = context.Process(target=_run, args=(photos, output_dir, workers, ending or Ending(), settings))
    child.start()
    child.join()
    assert child.exitcode is not None
    return child.exitcode


def _run(photos: Path, output_dir: Path, workers: int, ending: Ending, settings: dict[str, Any]) -> None:
    import torch

    from dogbreed.data.datamodule import DogBreedDataModule
    from dogbreed.evaluation.evaluation import Settings
    from dogbreed.models.classifier import BreedClassifier
    from dogbreed.train import quiet
    from dogbreed.training.interruption import Interrupted, Interruption
    from dogbreed.training.results import write_results
    from dogbreed.training.run import train
    from dogbreed.training.trainer import build_callbacks, build_trainer

    os.setpgid(0, 0)
    (output_dir.parent / f"{output_dir.name}.group").write_text(str(os.getpid()))
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    quiet()
    sys.stdout = sys.stderr = (output_dir.parent / f"{output_dir.name}.log").open("a")
    if ending.fsync is not None:
        _end_at_fsync(ending.fsync)
    interruption = Interruption()
    data = DogBreedDataModule(photos, batch_size=8, num_workers=workers, mixing="mixup")
    torch.manual_seed(7)
    module = BreedClassifier(
        data.num_classes,
        backbone="shufflenet_v2_x0_5",
        weights=None,
        frozen=False,
        image_size=32,
        hidden=[16],
        dropout=0.3,
    )
    chosen = {"checkpoint_seconds": 0.0, "patience": None, **settings}
    callbacks = [*build_callbacks(output_dir, interruption=interruption, **chosen), *_watchers(output_dir, ending)]
    trainer = build_trainer(output_dir, precision="32-true", callbacks=callbacks, max_epochs=2, accelerator="cpu")
    try:
        with interruption.listening():
            metrics = train(trainer, module, data)
        settings = Settings(batch_size=8, mirror=False, duplicates=False)
        write_results(output_dir, trainer, module, data, metrics, settings=settings, report=False)
    except Interrupted as interrupted:
        sys.exit(interrupted.exit_status)


def _watchers(output_dir: Path, ending: Ending) -> list[Any]:
    import torch
    from pytorch_lightning import Callback, LightningModule, Trainer

    class Watcher(Callback):
        """Notes each step's photos and loss, ends the run where it is asked to, keeps the final state."""

        def on_train_batch_end(
            self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
        ) -> None:
            photos = hashlib.sha256(batch[0].numpy().tobytes()).hexdigest()[:16]
            with (output_dir / "steps.txt").open("a") as file:
                file.write(f"{trainer.global_step} {photos} {outputs['loss'].item().hex()}\n")
            if trainer.global_step == ending.step and ending.signal is not None:
                os.kill(os.getpid(), ending.signal)

        def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            state = {
                "model": pl_module.state_dict(),
                "optimizer": trainer.optimizers[0].state_dict(),
                "scheduler": trainer.lr_scheduler_configs[0].scheduler.state_dict()["_last_lr"],
                "random": torch.get_rng_state(),
            }
            torch.save(state, output_dir / "final.pt")

    return [Watcher()]


def _end_at_fsync(number: int) -> None:
    real, seen = os.fsync, [0]

    def fsync(descriptor: int) -> None:
        seen[0] += 1
        if seen[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)
        real(descriptor)

    os.fsync = fsync
