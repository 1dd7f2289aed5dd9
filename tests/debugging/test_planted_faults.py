"""Real runs in miniature, each with a fault: the rules of debugger=rules name it. The same at length: benchmarks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import nn

from dogbreed.train import quiet

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from planted import faults
from planted.run import Run, findings_of

CLASSES, SIZE = 8, 32
COUNTS = {"train": 8, "valid": 5, "test": 1}
PHOTOS = ("data=folder", "data.batch_size=8", "data.augmentation=none")
SMALL = (*PHOTOS, "model=sample", "model.backbone=shufflenet_v2_x0_5", f"model.image_size={SIZE}")
ONE = (*SMALL, "trainer.max_epochs=1")
FROZEN = (*SMALL, "model.frozen=true", "model.cache=false", "model.train_batch_norm=false", "trainer.max_epochs=7")
# What a frozen network of random weights says of colours is enough to tell classes apart, and photos from each other.
HEAD = (*SMALL, "model.backbone=resnet18", "model.frozen=true", "model.learning_rate=1e-2")
BY_HEART = (*HEAD, "model.learning_rate=5e-2", "trainer.max_epochs=30", "callbacks.patience=null")
PLANTED = {
    "a ReLU on the logits": Run("", ONE, "HeadSaturated", faults.after_the_head(nn.ReLU())),
    "a softmax on the logits": Run("", ONE, "HeadSaturated", faults.after_the_head(nn.Softmax(1))),
    "photos in [0, 1]": Run("", ONE, "InputNotNormalized", faults.not_normalised),
    "shuffled labels": Run("", BY_HEART, "LabelsShuffled", faults.shuffled_labels),
    "a learning rate of 10": Run("", (*ONE, "model.learning_rate=10"), "LearningRateTooHigh"),
    "a frozen backbone in train mode": Run("", FROZEN, "FrozenDrift", faults.frozen_in_train_mode),
    "an optimizer of another network": Run(
        "", (*SMALL, "trainer.max_epochs=2"), "NotLearning", faults.optimizer_of_a_copy
    ),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A colour a class, and noise by which each photo can be told from all others."""
    root, generator = tmp_path_factory.mktemp("planted") / "photos", np.random.default_rng(0)
    for number in range(CLASSES):
        colour = [200 * (number >> channel & 1) + 28 for channel in range(3)]
        for split, count in COUNTS.items():
            folder = root / split / f"class_{number}"
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = colour + generator.normal(0, 40, (SIZE, SIZE, 3))
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index}.png")
    return root


def fired(run: Run, photos: Path, output_dir: Path) -> dict[str, Any]:
    quiet()
    on_photos = Run(run.name, (*run.overrides, f"data.root={photos}"), run.expected, run.plant)
    found = findings_of(on_photos, output_dir / "run", seed=1)
    return {rule: finding.reason for rule, finding in found.items() if finding.status in ("IssuesFound", "Error")}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_named(fault: str, photos: Path, tmp_path: Path) -> None:
    assert PLANTED[fault].expected in fired(PLANTED[fault], photos, tmp_path)


def test_a_healthy_run_is_left_in_peace(photos: Path, tmp_path: Path) -> None:
    assert fired(Run("", (*HEAD, "trainer.max_epochs=7")), photos, tmp_path) == {}
