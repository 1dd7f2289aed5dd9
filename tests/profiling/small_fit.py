"""A fit of a linear layer on noise, which waits where it is told to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from dogbreed.profiling.profiler import build_profiler
from dogbreed.train import quiet

BATCH = 4


class Noise(Dataset[tuple[Tensor, int]]):
    def __init__(self, steps: int, seconds: float) -> None:
        self._samples = steps * BATCH
        self._seconds = seconds / BATCH

    def __len__(self) -> int:
        return self._samples

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        time.sleep(self._seconds)
        return torch.full((8,), index % 7 / 7), index % 2


class Line(LightningModule):
    """Fails at a step, if it is told one, and takes a time for each."""

    def __init__(self, seconds: float = 0.0, fails_at: int | None = None) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(8, 2)
        self.seconds = seconds
        self.fails_at = fails_at

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        if self.global_step == self.fails_at:
            raise RuntimeError("the cable was pulled")
        time.sleep(self.seconds)
        return torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        time.sleep(0.01)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(
    output_dir: Path,
    *,
    steps: int = 15,
    epochs: int = 2,
    loading: float = 0.0,
    computing: float = 0.0,
    fails_at: int | None = None,
    rules: Mapping[str, Mapping[str, float]] | None = None,
    profiled: bool = True,
    callbacks: Iterable[Callback] = (),
    checkpoint: Path | None = None,
    **settings: Any,
) -> Trainer:
    """Train `epochs` of `steps` that wait `loading` seconds for their batch and take `computing` seconds."""
    quiet()
    torch.manual_seed(0)
    watching = build_profiler(output_dir, interval=0.1, num_steps=3, rules=rules) if profiled else []
    trainer = Trainer(
        default_root_dir=output_dir,
        max_epochs=epochs,
        accelerator="cpu",
        callbacks=[*watching, *callbacks],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=1,
        **settings,
    )
    train, val = DataLoader(Noise(steps, loading), BATCH), DataLoader(Noise(2, 0.0), BATCH)
    trainer.fit(Line(computing, fails_at), train, val, ckpt_path=checkpoint)
    return trainer
