"""torchvision's reference recipe for classification, with the body frozen.

    PYTHONPATH=benchmarks python -m sides.torchvision_recipe PHOTOS --weights WEIGHTS --epochs 5

Written from what its documentation says: RandomResizedCrop to 224 and flip, evaluation at 256 cropped to 224, SGD with
momentum 0.9, the backbone's documented learning rate and weight decay (for 8 processes of 32 photos, scaled linearly
to the batch), a cosine over the epochs, label smoothing 0.1, a linear head, float32, the last epoch tested. Theirs
trains everything; here the body is frozen, its batch norm too, which their loop would leave in train mode. Their 16
workers are as many as there are cores here, and stay from epoch to epoch.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import models, transforms
from torchvision.datasets import ImageFolder

from sides.plain_loop import accuracy, train_epoch
from sides.protocol import SPLITS, Measured, asked, run_epochs

NORMALISED = [
    transforms.PILToTensor(),
    transforms.ConvertImageDtype(torch.float),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
]
TRAIN = transforms.Compose([transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), *NORMALISED])
EVALUATION = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), *NORMALISED])
# The documented learning rate and weight decay, the rate for this many photos a step.
RATES = {"mobilenet_v2": (0.045, 4e-5), "resnet50": (0.1, 1e-4)}
REFERENCE_BATCH = 256
HEADS = {"mobilenet_v2": "classifier", "resnet50": "fc"}


def loaders(root: Path, batch_size: int, num_workers: int) -> dict[str, DataLoader[Any]]:
    """A loader for each split folder."""
    return {
        split: DataLoader(
            ImageFolder(root / split, TRAIN if split == "train" else EVALUATION, allow_empty=True),
            batch_size=batch_size,
            shuffle=split == "train",
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
        )
        for split in SPLITS
    }


def frozen_network(backbone: str, weights: Path | None, num_classes: int) -> tuple[nn.Module, nn.Module]:
    """The network without gradients, and its head, a new last layer that has them."""
    network: nn.Module = models.get_model(backbone)
    if weights:
        network.load_state_dict(torch.load(weights, weights_only=True))
    network.requires_grad_(False)
    *_, (name, last) = network.named_modules()
    head = nn.Linear(cast(nn.Linear, last).in_features, num_classes)
    network.set_submodule(name, head)
    return network, network.get_submodule(HEADS[backbone])


def main() -> None:
    """Train, validate after every epoch, test, print."""
    cores = str(os.cpu_count() or 1)
    with asked(__doc__, ("--workers", cores, "processes that open photos, of each loader")) as options:
        torch.manual_seed(options.seed)
        batches = loaders(options.photos, options.batch_size, int(options.workers))
        photos = {split: len(found.dataset) for split, found in batches.items()}  # type: ignore[arg-type]
        num_classes = len(batches["train"].dataset.classes)  # type: ignore[attr-defined]
        network, head = frozen_network(options.backbone, options.weights, num_classes)
        rate, weight_decay = RATES[options.backbone]
        rate *= options.batch_size / REFERENCE_BATCH
        optimizer = torch.optim.SGD(head.parameters(), lr=rate, momentum=0.9, weight_decay=weight_decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=options.epochs)
        criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

        def train() -> None:
            network.eval()
            head.train()
            train_epoch(network, batches["train"], criterion, optimizer)
            schedule.step()

        measured = Measured("torchvision", options.epochs, photos)
        measured.settings = {"optimizer": "sgd", "learning_rate": rate, "num_workers": int(options.workers)}
        run_epochs(measured, train, lambda split: accuracy(network, batches[split]))
    measured.print()


if __name__ == "__main__":
    main()
