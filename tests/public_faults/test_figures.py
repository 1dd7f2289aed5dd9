"""Faults met in public attempts at this job: each is tried here, and cannot be committed or is named.

What a run reports, and which weights it keeps.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_lightning import Callback, LightningModule, Trainer
from sklearn.metrics import accuracy_score, f1_score, log_loss
from torch import Tensor

from dogbreed.artifacts import load_artifact
from dogbreed.models.classifier import BreedClassifier
from dogbreed.predictor import BreedPredictor
from dogbreed.training.history import read_history
from tests.public_faults.conftest import WatchedRun
from tests.public_faults.tiny_run import command_run, tiny_run


def recomputed(watched: WatchedRun, split: str) -> dict[str, float]:
    """A split's figures, by scikit-learn, of what the saved model answers for the photos' files."""
    # What is calibrated is calibrated on the validation photos: their own figures are from before.
    predictor = BreedPredictor.load(watched.run.output_dir / "model", calibrate=split == "test")
    photos = watched.run.data.folder.splits[split]
    answers = predictor.predict_many(photos.paths, top_k=len(predictor.class_names))
    rows = [[p.probability for p in sorted(answer, key=lambda p: p.index)] for answer in answers]
    probabilities, targets = np.array(rows, dtype=np.float64), np.array(photos.targets)
    probabilities /= probabilities.sum(1, keepdims=True)
    predicted = probabilities.argmax(1)
    return {
        "loss": log_loss(targets, probabilities, labels=range(len(predictor.class_names))),
        "acc": accuracy_score(targets, predicted),
        "macro_f1": f1_score(targets, predicted, average="macro", zero_division=0),
    }


# fault 7
@pytest.mark.parametrize("split", ["val", "test"])
def test_figures_of_uneven_batches_are_those_of_all_photos_at_once(watched: WatchedRun, split: str) -> None:
    sizes = [len(targets) for _, targets in watched.seen.batches[split]]
    assert len(set(sizes)) > 1
    rows = read_history(watched.run.output_dir / "history.csv")
    best = min(rows, key=lambda row: float(row["val/loss"]))
    logged = watched.run.metrics if split == "test" else {name: float(value) for name, value in best.items()}
    for name, value in recomputed(watched, split).items():
        assert logged[f"{split}/{name}"] == pytest.approx(value, abs=1e-5), name


# fault 12
def test_each_photo_of_its_own_split_is_looked_at_once(watched: WatchedRun) -> None:
    assert watched.seen.targets("val") == list(watched.run.data.folder.splits["val"].targets)
    with (watched.run.output_dir / "predictions.csv").open(newline="") as file:
        judged = [watched.run.data.root / row["file"] for row in csv.DictReader(file)]
    assert judged == list(watched.run.data.folder.splits["test"].paths)


# fault 12
def test_the_test_figures_come_from_the_test_photos(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    # The colours of the test folder are swapped: what was learnt is always right in val and always wrong in test.
    colours = {"train": (0, 2), "valid": (0, 2), "test": (2, 0)}
    for split, channels in colours.items():
        for name, channel in zip(("red", "blue"), channels, strict=True):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(6):
                pixels = draw.integers(0, 60, (48, 48, 3), dtype=np.uint8)
                pixels[..., channel] += 180
                Image.fromarray(pixels).save(tmp_path / split / name / f"{number}.png")
    model = {"backbone": "resnet18", "hidden": [], "learning_rate": 3e-3}
    run = tiny_run(tmp_path, tmp_path / "run", model=model, max_epochs=3)
    best = min(read_history(run.output_dir / "history.csv"), key=lambda row: float(row["val/loss"]))
    assert float(best["val/acc"]) == 1.0
    assert run.metrics["test/acc"] == 0.0


class Spoiling(Callback):
    """Spoils the head before the validation of the last epoch, and keeps the weights of every epoch."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, Tensor]] = []

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, BreedClassifier)
        if trainer.current_epoch == 2:
            for parameter in pl_module.network.head.parameters():
                parameter.data.mul_(-1000)
        self.epochs.append({name: t.clone() for name, t in pl_module.network.state_dict().items()})


# fault 13
def test_the_model_kept_and_tested_is_the_best_epochs_and_not_the_last(photos: Path, tmp_path: Path) -> None:
    spoiling = Spoiling()
    run = tiny_run(photos, tmp_path / "run", callbacks=(spoiling,), max_epochs=3)
    losses = [float(row["val/loss"]) for row in read_history(run.output_dir / "history.csv")]
    best = losses.index(min(losses))
    assert best < 2 < losses[2]
    saved = load_artifact(run.output_dir / "model").network.state_dict()
    assert all(torch.equal(saved[name], tensor) for name, tensor in spoiling.epochs[best].items())
    assert run.metrics["val/loss"] == pytest.approx(losses[best])
    assert run.metrics["test/loss"] < losses[2]


# fault 26
@pytest.mark.parametrize("setting", ["limit_train_batches=1", "limit_train_batches=2", "limit_val_batches=0.5"])
def test_a_run_that_was_limited_says_so_and_so_does_its_model(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    name, value = setting.split("=")
    card = command_run(photos, tmp_path / "run", **{f"trainer__{name}": value, "trainer__max_epochs": 1})
    sentence = f"trainer.{name} is {value}: not all photos were used."
    output = capsys.readouterr().out
    assert output.count(f"LIMITED RUN: {sentence}") == 2
    assert card["limits"] == json.loads((tmp_path / "run" / "metrics.json").read_text())["limits"] == [sentence]


# fault 26
def test_a_limit_that_leaves_no_photo_is_told_in_one_line(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="1"):
        command_run(photos, tmp_path / "run", trainer__limit_test_batches=0.5, trainer__max_epochs=1)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "limit_test_batches" in line


# fault 26
def test_a_run_as_configured_is_not_limited(watched: WatchedRun) -> None:
    assert json.loads((watched.run.output_dir / "metrics.json").read_text())["limits"] == []
