"""The plain training loop of the sides that have none of their own: float32, as PyTorch's tutorials write it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

Batches = Iterable[tuple[Tensor, Tensor]]


def train_epoch(network: nn.Module, batches: Batches, criterion: Any, optimizer: torch.optim.Optimizer) -> None:
    """One step a batch; whether the network is in train mode is the caller's affair."""
    for images, target in batches:
        optimizer.zero_grad()
        criterion(network(images), target).backward()
        optimizer.step()


@torch.inference_mode()
def accuracy(network: nn.Module, batches: Batches) -> float:
    """Share of the photos whose most probable class is right, in eval mode."""
    network.eval()
    right = total = 0
    for images, target in batches:
        right += int((network(images).argmax(1) == target).sum())
        total += len(target)
    return right / total
