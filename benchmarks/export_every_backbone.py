"""Whether every backbone can be exported in both formats, and how far the files are from PyTorch.

    python benchmarks/export_every_backbone.py [NAME ...]

Takes each network at its own image size with random weights and the batch statistics of drawn photos: all of
torchvision's unless names are given. Prints a row of a table for each: the largest difference of the logits, and the
seconds that the export with its comparison took.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torchvision import models

from dogbreed.artifacts import Artifact
from dogbreed.data.transforms import normalise
from dogbreed.errors import DogbreedError
from dogbreed.exporting.comparison import drawn_batches
from dogbreed.exporting.formats import FORMATS
from dogbreed.exporting.run import export_model
from dogbreed.models.network import build_network

CLASS_NAMES = tuple(f"breed {number}" for number in range(120))


def drawn_artifact(name: str) -> Artifact:
    """A network whose batch norm, if it has any, has the statistics of photos: of a new one all photos look alike."""
    torch.manual_seed(0)
    network = build_network(len(CLASS_NAMES), backbone=name)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        with torch.no_grad():
            network.train()(normalise(torch.cat(drawn_batches(network.preprocessing)), network.preprocessing))
    return Artifact(network.eval().requires_grad_(False), CLASS_NAMES, network.preprocessing, {})


def measured(artifact: Artifact, name: str) -> str:
    """The largest difference and the seconds of one export, or why there is none."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = export_model(artifact, Path(folder) / f"model{FORMATS[name].suffix}", format=name)
        except DogbreedError as error:
            return f"{error} |"
    return f"{result.difference:.1e} | {time.monotonic() - began:.0f}"


def main() -> None:
    """A row for each network."""
    print("| backbone | size | onnx: difference | seconds | torch_export: difference | seconds |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in sys.argv[1:] or models.list_models(module=models):
        artifact = drawn_artifact(name)
        cells = " | ".join(measured(artifact, name) for name in FORMATS)
        print(f"| {name} | {artifact.preprocessing.crop} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
