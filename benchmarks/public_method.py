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


def public_network(weights: Path, num_classes: int) -> nn.Module:
    """Their network: MobileNet V2 with the weights of a file, frozen, and their head."""
    network: nn.Module = models.mobilenet_v2()
    network.load_state_dict(torch.load(weights, weights_only=True))
    for parameter in network.parameters():
        parameter.requires_grad = False
    network.classifier = nn.Sequential(
        nn.Linear(1280, 512), nn.ReLU(inplace=True), nn.Dropout(0.3), nn.Linear(512, num_classes)
    )
    return network


def fit(network: Any, loader: DataLoader[Any], epochs: int) -> None:
    """Their training loop."""
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(network.classifier.parameters(), lr=0.001)
    for epoch in range(epochs):
        network.train()
        for images, target in loader:
            optimizer.zero_grad()
            loss = criterion(network(images), target)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}/{epochs}", flush=True)


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
    folders = {
        split: ImageFolder(options.root / split, t)
        for split, t in (("train", TRAIN), ("valid", EVALUATION), ("test", EVALUATION))
    }
    loaders = {split: DataLoader(folder, batch_size=32, shuffle=split == "train") for split, folder in folders.items()}
    network = public_network(options.weights, len(folders["train"].classes))
    fit(network, loaders["train"], options.epochs)
    result = {split: accuracy(network, loaders[split]) for split in ("valid", "test")}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result | {"seconds": round(time.monotonic() - began, 1), "peak_mib": round(peak)}))


if __name__ == "__main__":
    main()
