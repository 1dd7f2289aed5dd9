"""fastai: `vision_learner` with its own head, frozen, `fit_one_cycle`.

    PYTHONPATH=benchmarks python -m sides.fastai_learner PHOTOS --weights WEIGHTS --epochs 5

`pip install fastai torch torchvision` in an environment of its own. Its defaults where it has them: its head (average
and maximum pooling, batch norm, a hidden layer of 512, dropout), its optimiser and schedule at the rate of the frozen
phase of its `fine_tune`, its number of workers, batch norm of the frozen body in train mode and trained
(`--train-bn no` for the opposite), float32, the last epoch tested. Augmentation, of three: "course", as its course
fine-tunes on photos (RandomResizedCrop from 0.5 of the area, then `aug_transforms` on the batch); "crop", that crop
and a flip; "none", as its quick start (`Resize` only). Weights come from the file, nothing is downloaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from fastai.vision.all import (  # type: ignore[import-not-found]
    Callback,
    FlipItem,
    ImageDataLoaders,
    Normalize,
    RandomResizedCrop,
    Resize,
    accuracy,
    aug_transforms,
    default_split,
    get_image_files,
    imagenet_stats,
    model_meta,
    set_seed,
    vision_learner,
)
from torch import nn
from torchvision import models

from sides.protocol import Measured, asked

# What is done to one photo, and to a batch.
AUGMENTATIONS: dict[str, Callable[[], tuple[list[Any], list[Any]]]] = {
    "course": lambda: ([RandomResizedCrop(224, min_scale=0.5)], aug_transforms()),
    "crop": lambda: ([RandomResizedCrop(224, min_scale=0.5), FlipItem()], []),
    "none": lambda: ([Resize(224)], []),
}
# Where its body ends: what it finds out itself of a ResNet, and not of a network that pools in its `forward`.
CUTS = {"mobilenet_v2": -1, "resnet50": -2}


class Clock(Callback):  # type: ignore[misc]
    """Notes when each epoch's training and validation ended."""

    def __init__(self, measured: Measured) -> None:
        self.measured = measured

    def before_train(self) -> None:
        """Start."""
        self.began = time.monotonic()

    def after_train(self) -> None:
        """The training of an epoch has ended."""
        self.trained = time.monotonic()

    def after_validate(self) -> None:
        """And its validation."""
        self.measured.epoch(self.trained - self.began, time.monotonic() - self.trained)


def network_of(backbone: str, weights: Path | None) -> Callable[..., nn.Module]:
    """The function that fastai calls for the network, which would otherwise be a download."""

    def network(pretrained: bool = True) -> nn.Module:  # noqa: ARG001
        made: nn.Module = models.get_model(backbone)
        if weights:
            made.load_state_dict(torch.load(weights, weights_only=True))
        return made

    return network


def main() -> None:
    """Train, validate after every epoch, test, print."""
    with asked(
        __doc__,
        ("--augmentation", "course", "course, crop or none"),
        ("--train-bn", "yes", "yes or no: whether batch norm of the frozen body is trained"),
    ) as options:
        set_seed(options.seed)
        of_photo, of_batch = AUGMENTATIONS[options.augmentation]()
        of_batch = [*of_batch, Normalize.from_stats(*imagenet_stats)]
        data = ImageDataLoaders.from_folder(
            options.photos, valid="valid", item_tfms=of_photo, batch_tfms=of_batch, bs=options.batch_size
        )
        network = network_of(options.backbone, options.weights)
        # Its argument `cut` does not arrive at the function that cuts; what stands here does.
        model_meta[network] = {"cut": CUTS[options.backbone], "split": default_split}
        learner = vision_learner(
            data,
            network,
            normalize=False,
            metrics=accuracy,
            train_bn=options.train_bn == "yes",
        )
        test = data.test_dl(get_image_files(options.photos / "test"), with_labels=True)
        photos = {"train": len(data.train_ds), "valid": len(data.valid_ds), "test": len(test.dataset)}
        measured = Measured("fastai", options.epochs, photos)
        measured.settings = {"augmentation": options.augmentation, "train_bn": options.train_bn == "yes"}
        measured.settings |= {
            "optimizer": "its Adam",
            "learning_rate": 2e-3,
            "num_workers": data.train.fake_l.num_workers,
        }
        with learner.no_bar():
            learner.fit_one_cycle(options.epochs, slice(2e-3), cbs=Clock(measured))
            measured.val_accuracy = [row[-1] for row in learner.recorder.values]
            measured.test_accuracy = learner.validate(dl=test)[-1]
    measured.print()


if __name__ == "__main__":
    main()
