from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytorch_lightning.strategies import SingleDeviceStrategy

from dogbreed.training.trainer import build_callbacks, build_trainer


@pytest.mark.parametrize("devices", [1, "1", "auto"])
def test_one_device_is_one_however_it_is_written(tmp_path: Path, devices: Any) -> None:
    callbacks = build_callbacks(tmp_path, unfreeze_epoch=1)
    trainer = build_trainer(tmp_path, callbacks=callbacks, accelerator="cpu", devices=devices)
    assert isinstance(trainer.strategy, SingleDeviceStrategy)
