"""What is recorded beside a network's own tensors, made small enough to be kept: the same live and on disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

STRIDE = 8  # of the pixels that are recorded of a photo
ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.ReLU6: "relu",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
}


def labels(batch: Any) -> Tensor:
    """The class of each photo of a batch; of blended photos the largest."""
    target: Tensor = batch[1]
    return target.argmax(1) if target.ndim > 1 else target


def few_pixels(images: Tensor) -> Tensor:
    """Every eighth row and column, shape (batch, 3, height / 8, width / 8)."""
    return images[..., ::STRIDE, ::STRIDE]


def frozen_statistics(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Running means and variances of layers none of whose parameters is trained."""
    for name, module in network.named_modules():
        mean, variance = getattr(module, "running_mean", None), getattr(module, "running_var", None)
        if mean is None or variance is None or any(p.requires_grad for p in module.parameters(recurse=False)):
            continue
        yield f"{name}.running_mean", mean
        yield f"{name}.running_var", variance


def activations(network: nn.Module) -> Iterator[tuple[str, str, nn.Module]]:
    """Name, kind and module of each layer that is a ReLU, a tanh or a sigmoid."""
    for name, module in network.named_modules():
        if kind := ACTIVATIONS.get(type(module)):
            yield name, kind, module


def active_share(output: Tensor) -> Tensor:
    """How often each unit, or channel, of a batch is above zero, in [0, 1]."""
    others = [axis for axis in range(output.ndim) if axis != 1]
    return (output > 0).to(torch.float32).mean(others)


def images_are_normalised(module: Any) -> bool:
    """Whether the network expects photos on both sides of zero; a few expect pixels from 0 to 1."""
    preprocessing = getattr(module, "preprocessing", None)
    return any(getattr(preprocessing, "mean", (1.0,)))
