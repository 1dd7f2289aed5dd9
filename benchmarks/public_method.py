"""The method of public attempts at this job, written from their published settings, to be measured beside ours.

A frozen torchvision network whose whole stays in train mode; a new head of 512, ReLU, dropout 0.3 and the classes;
Adam with one fixed learning rate of 0.001 on batches of 32; random crop and flip; photos decoded again every epoch by
the main process; float32; the last epoch is what is tested.

Prints one line of JSON: test accuracy, seconds, peak memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import models, transforms
from torchvision.datasets import ImageFolder

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
TRAIN = transforms.Compose(
    [
        transforms.Resize(256),
        transforms.RandomCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ]
)
EVALUATION = transforms.Compose(
    [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
)


# Where torchvision's networks keep their head.
HEADS = {"mobilenet_v2": "classifier", "resnet50": "fc"}


def public_network(weights: Path | None, num_classes: int, backbone: str = "mobilenet_v2") -> nn.Module:
    """Their network: torchvision's, frozen, and their head; with the weights of a file, or random ones."""
    network: nn.Module = models.get_model(backbone)
    if weights:
        network.load_state_dict(torch.load(weights, weights_only=True))
    for parameter in network.parameters():
        parameter.requires_grad = False
    num_features = {"mobilenet_v2": 1280, "resnet50": 2048}[backbone]
    head = nn.Sequential(
        nn.Linear(num_features, 512), nn.ReLU(inplace=True), nn.Dropout(0.3), nn.Linear(512, num_classes)
    )
    setattr(network, HEADS[backbone], head)
    return network


def public_head(network: nn.Module) -> nn.Module:
    """The part that learns."""
    name = next(name for name in HEADS.values() if hasattr(network, name))
    return network.get_submodule(name)


def loaders(root: Path, batch_size: int = 32) -> dict[str, DataLoader[Any]]:
    """Their loader for each split folder."""
    return {
        split: DataLoader(
            ImageFolder(root / split, TRAIN if split == "train" else EVALUATION, allow_empty=True),
            batch_size=batch_size,
            shuffle=split == "train",
        )
        for split in ("train", "valid", "test")
    }


def fit(network: nn.Module, loader: DataLoader[Any], epochs: int) -> None:
    """Their training loop."""
    optimizer = torch.optim.Adam(public_head(network).parameters(), lr=0.001)
    for epoch in range(epochs):
        train_epoch(network, loader, optimizer)
        print(f"epoch {epoch + 1}/{epochs}", flush=True)


def train_epoch(network: nn.Module, loader: DataLoader[Any], optimizer: torch.optim.Optimizer) -> None:
    """One epoch of it: all of the network in train mode."""
    criterion = nn.CrossEntropyLoss()
    network.train()
    for images, target in loader:
        optimizer.zero_grad()
        loss = criterion(network(images), target)
        loss.backward()
        optimizer.step()


def accuracy(network: nn.Module, loader: DataLoader[Any]) -> float:
    """Share of the photos whose most probable class is right."""
    network.eval()
    right = total = 0
    with torch.no_grad():
        for images, target in loader:
            right += int((network(images).argmax(1) == target).sum())
            total += len(target)
    return right / total


def main() -> None:
    """Train, test, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="a folder with train/, valid/ and test/")
    parser.add_argument("weights", type=Path, help="a state dict of torchvision's mobilenet_v2")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    began = time.monotonic()
    batches = loaders(options.root)
    num_classes = len(batches["train"].dataset.classes)  # type: ignore[attr-defined]
    network = public_network(options.weights, num_classes)
    fit(network, batches["train"], options.epochs)
    result = {split: accuracy(network, batches[split]) for split in ("valid", "test")}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result | {"seconds": round(time.monotonic() - began, 1), "peak_mib": round(peak)}))


if __name__ == "__main__":
    main()
