"""Small networks as a run leaves them, without the run."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import torch

from dogbreed.artifacts import save_artifact
from dogbreed.models.network import BreedNetwork, build_network

CLASS_NAMES = ("Akita", "Beagle", "Löwchen")
ARCHITECTURE: dict[str, Any] = {
    "num_classes": 3,
    "backbone": "shufflenet_v2_x0_5",
    "hidden": [4],
    "dropout": 0.5,
    "image_size": 32,
}


def small_network(seed: int = 0, **changes: Any) -> BreedNetwork:
    """Random weights that are a function of the seed, batch statistics among them."""
    torch.manual_seed(seed)
    network = build_network(**{**ARCHITECTURE, **changes})
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # All statistics are those of this batch: with those of a new network all photos look alike.
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.rand(8, 3, 32, 32))
    return network.eval()


# The same network may be saved often.
cached_network = functools.cache(small_network)


def save_small(folder: Path, seed: int = 0, **details: Any) -> BreedNetwork:
    """An artifact of the small network in `folder`."""
    network = cached_network(seed)
    save_artifact(
        folder,
        network,
        architecture=ARCHITECTURE,
        class_names=CLASS_NAMES,
        details={"training": {"regime": "fine-tuned"}, "metrics": {"test/acc": 0.5}, **details},
    )
    return network
