"""Which runs there are: planted faults, and one healthy run of each kind that the configuration offers."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from planted.faults import (
    after_the_head,
    frozen_in_train_mode,
    not_normalised,
    optimizer_of_a_copy,
    shuffled_labels,
)
from planted.run import Run

# The embedded sample, seen at half of its side: a run of seconds.
SMALL = ("model.image_size=32", "trainer.max_epochs=3")
# Until it knows its photos by heart; the validation loss would stop it before.
BY_HEART = ("data.augmentation=none", "callbacks.patience=null", "trainer.max_epochs=20")

FAST_HEAD = ("model.learning_rate=1e-2", "trainer.max_epochs=100")


def pretrained(weights: Path, root: str = "${paths.cache_dir}/synthetic-sample-1") -> tuple[str, ...]:
    """The command's choices for photos of a folder, with weights of a file."""
    network = ("model=default", "model.backbone=resnet18", "model.image_size=64", f"model.weights={weights}")
    return ("data=folder", f"data.root={root}", *network)


def planted_runs(weights: Path, hundred: Path) -> list[Run]:
    """The faults.

    Args:
        weights: of a ResNet-18.
        hundred: a folder of photos of a hundred classes.
    """
    frozen = pretrained(weights)
    return [
        Run("ReLU on the logits", SMALL, "HeadSaturated", after_the_head(nn.ReLU())),
        Run("softmax on the logits", SMALL, "HeadSaturated", after_the_head(nn.Softmax(1))),
        Run("photos not normalised", SMALL, "InputNotNormalized", not_normalised),
        Run("shuffled labels, all trained", (*SMALL, *BY_HEART), "LabelsShuffled", shuffled_labels),
        Run("shuffled labels, frozen", (*frozen, *BY_HEART, *FAST_HEAD), "LabelsShuffled", shuffled_labels),
        Run("learning rate 10", (*SMALL, "model.learning_rate=10"), "LearningRateTooHigh"),
        Run("learning rate 10, frozen", (*frozen, "model.learning_rate=10"), "LearningRateTooHigh"),
        Run(
            "frozen backbone in train mode",
            (*frozen, "model.cache=false", "trainer.max_epochs=5"),
            "FrozenDrift",
            frozen_in_train_mode,
        ),
        Run("optimizer of a copy", SMALL, "NotLearning", optimizer_of_a_copy),
        Run("learning rate 0", (*SMALL, "model.learning_rate=0"), "NotLearning"),
        Run(
            "100 classes, 1 % right, two epochs",
            (*SMALL, "data=folder", f"data.root={hundred}", "model=sample", "trainer.max_epochs=2"),
            "NotLearning",
            optimizer_of_a_copy,
        ),
    ]


def healthy_runs(weights: Path) -> list[Run]:
    """A run of each kind, in which nothing is wrong."""
    folder = pretrained(weights)
    return [
        Run("the sample, as the command", ()),
        Run("finetune, pretrained", (*folder, "experiment=finetune")),
        Run("frozen, kept features", folder),
        Run("frozen, features not kept", (*folder, "model.cache=false")),
        Run("hidden head", (*folder, "model=hidden_head")),
        Run("frozen up to layer4", (*folder, "model.frozen=layer4")),
    ]


def runs_on_photos(photos: Path, weights: Path) -> list[Run]:
    """Healthy runs on photographs, with real weights.

    Args:
        photos: a folder of photographs.
        weights: of MobileNet V2.
    """
    given = ("data=folder", f"data.root={photos}", "model.backbone=mobilenet_v2", f"model.weights={weights}")
    return [
        Run("photographs, frozen, kept features", given),
        Run("photographs, frozen, hidden head", (*given, "model=hidden_head")),
    ]
