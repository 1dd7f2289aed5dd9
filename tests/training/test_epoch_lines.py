from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.utils.data import DataLoader

from dogbreed.epoch_line import METRICS, metric_regex, objective_regex
from dogbreed.train import quiet
from dogbreed.training.best_checkpoint import BestCheckpoint
from dogbreed.training.epoch_lines import EpochLines
from dogbreed.training.trainer import build_trainer


class Told(LightningModule):
    """Its validation losses are what it was told; its weight counts the epochs."""

    def __init__(self, losses: list[float]) -> None:
        super().__init__()
        self.losses, self.weight = losses, torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.log_dict({"train/loss": 1.0, "train/acc": 0.5}, on_step=False, on_epoch=True, batch_size=1)
        return -self.weight.sum()

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log_dict({"val/loss": self.losses[self.current_epoch], "val/acc": 0.5, "val/acc5": 0.75}, batch_size=1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)


def fit(folder: Path, losses: list[float], max_epochs: int, ckpt_path: Path | None = None) -> Path:
    """Train on; where the run can be resumed from."""
    quiet()
    photos = DataLoader(torch.zeros(1, 1))  # type: ignore[arg-type]
    trainer = build_trainer(
        folder,
        max_epochs=max_epochs,
        accelerator="cpu",
        precision="32-true",
        callbacks=[BestCheckpoint(folder), EpochLines()],
    )
    trainer.fit(Told(losses), photos, photos, ckpt_path=ckpt_path, weights_only=True)
    trainer.save_checkpoint(folder / "resume.ckpt")
    return folder / "resume.ckpt"


def stars(printed: str) -> list[str]:
    return re.findall(r"epoch +[0-9]+/[0-9]+([* ])", printed)


def kept_epoch(folder: Path) -> int:
    return int(torch.load(folder / "best.ckpt", weights_only=True)["state_dict"]["weight"].item())


def test_the_stars_are_at_the_epochs_whose_weights_were_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(tmp_path, [0.5, 0.9, 0.3, 0.4], 4)
    printed = capsys.readouterr().out
    assert stars(printed) == ["*", " ", "*", " "]
    assert kept_epoch(tmp_path) == 3
    assert re.findall(objective_regex("val/loss"), printed)[-1] == "0.30000"


def test_every_figure_of_a_run_can_be_read_off_its_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(tmp_path, [0.5, 1e-9], 2)
    printed = capsys.readouterr().out
    read = {name: re.findall(metric_regex(name), printed) for name in METRICS}
    assert read == {
        "train/loss": ["1.0000", "1.0000"],
        "train/acc": ["0.50000", "0.50000"],
        "val/loss": ["0.50000", "0.0000000010000"],
        "val/acc": ["0.50000", "0.50000"],
        "val/acc5": ["0.75000", "0.75000"],
    }


def test_a_resumed_run_gives_no_star_to_an_epoch_worse_than_the_best_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    losses = [0.5, 0.9, 0.8, 0.4]
    checkpoint = fit(tmp_path, losses, 2)
    assert stars(capsys.readouterr().out) == ["*", " "]
    fit(tmp_path, losses, 4, checkpoint)
    assert stars(capsys.readouterr().out) == [" ", "*"]
    assert kept_epoch(tmp_path) == 4


def test_a_loss_that_is_no_number_gets_no_star(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(tmp_path, [float("nan"), 0.5, float("inf")], 3)
    assert stars(capsys.readouterr().out) == [" ", "*", " "]
