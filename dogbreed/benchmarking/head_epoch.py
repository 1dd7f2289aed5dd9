"""How fast a head learns from features that are known, by a real Trainer."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from dogbreed.benchmarking.machine_rates import MachineRates
from dogbreed.benchmarking.setting import Setting
from dogbreed.benchmarking.stage import FLOOR, OURS, PUBLIC, RATE, Stage
from dogbreed.models.cut import cut
from dogbreed.training.trainer import build_trainer

HEAD = "head epoch from features"
ROWS = 4096
MOST_EPOCHS = 1000


class RandomRows:
    """Features by a photo's key, of which a few thousand are made up and serve all."""

    def __init__(self, width: int) -> None:
        self._values = torch.randn(ROWS, width)

    def __getitem__(self, key: str) -> Tensor:
        # A key begins with the SHA-256 of the file.
        return self._values[int(key[:8], 16) % ROWS]


class EpochTimes(Callback):
    """Seconds of each epoch but the first, which warms up; none is begun after the time given."""

    def __init__(self, seconds: float) -> None:
        self.epochs: list[float] = []
        self._end = time.perf_counter() + seconds
        self._began = 0.0

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._began = time.perf_counter()

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.epochs.append(time.perf_counter() - self._began)
        trainer.should_stop = len(self.epochs) > 1 and time.perf_counter() > self._end

    @property
    def warm(self) -> list[float]:
        """Seconds of the epochs that count."""
        return self.epochs[1:]


def head_epoch(setting: Setting, rates: MachineRates, public: tuple[float, float]) -> Stage:
    """Photos a second in epochs of the head over all training photos, whose features are made up.

    Args:
        setting: what is measured; its module learns a little.
        rates: of the machine.
        public: photos a second that the public method loads, and computes forward: it does both in every epoch.
    """
    width = int(cut(setting.module.network, True).lower(setting.images(1)).shape[1])
    photos = len(setting.data.folder.splits["train"])
    samples = {
        OURS: tuple(photos / seconds for seconds in _epochs(setting, width)),
        FLOOR: (rates.bandwidth / (4 * width),),
        PUBLIC: (1 / sum(1 / side for side in public),),
    }
    floor = f"{4 * width:,} bytes of features a photo at the measured bandwidth of the memory"
    return Stage(HEAD, RATE, samples, floor)


def _epochs(setting: Setting, width: int) -> list[float]:
    times = EpochTimes(setting.seconds)
    setting.data.features = RandomRows(width)
    with TemporaryDirectory(prefix="dogbreed-") as folder:
        trainer = build_trainer(Path(folder), **_settings(setting), callbacks=[times])
        with setting.module.network.taking_features(cut(setting.module.network, True).upper):
            trainer.fit(setting.module, setting.data)
    setting.data.features = None
    return times.warm


def _settings(setting: Setting) -> dict[str, Any]:
    """Of the Trainer: as a run has them, less what it would leave behind."""
    return {
        "max_epochs": MOST_EPOCHS,
        "accelerator": setting.device.type,
        "devices": 1,
        "gradient_clip_val": 1.0,
        "limit_val_batches": 0,
        "enable_checkpointing": False,
        "progress_bar": False,
    }
