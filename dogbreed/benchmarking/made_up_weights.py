"""Random weights that compute as fast as trained ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dogbreed.models.freezing import batch_norms

FITTED = 8  # images


@torch.no_grad()
def fit_statistics(network: nn.Module, images: Tensor) -> None:
    """Let batch norm keep the statistics of these images; the modes of all layers are left as they were.

    With those of a new network activations shrink from layer to layer until they are denormal numbers, which a
    processor computes many times more slowly.
    """
    modes = {module: module.training for module in network.modules()}
    layers = batch_norms(network)
    momenta = [layer.momentum for layer in layers]
    _set_momenta(layers, [1.0] * len(layers))
    network.train()(images)
    _set_momenta(layers, momenta)
    for module, mode in modes.items():
        module.training = mode


def _set_momenta(layers: Sequence[nn.Module], momenta: Sequence[Any]) -> None:
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
