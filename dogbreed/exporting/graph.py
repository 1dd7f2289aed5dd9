"""What is exported: a module from `images` to logits or to probabilities, and what it takes and gives."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dogbreed.artifacts import Artifact, library_versions
from dogbreed.data.transforms import Preprocessing, normalise
from dogbreed.models.probabilities import probabilities


class AnsweringNetwork(nn.Module):
    """From pixels to probabilities: images are normalised inside, logits calibrated."""

    def __init__(self, network: nn.Module, preprocessing: Preprocessing, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.preprocessing = preprocessing
        self.temperature = temperature

    def forward(self, images: Tensor) -> Tensor:
        """Probabilities, shape (batch, num_classes), of uint8 images, shape (batch, 3, crop, crop)."""
        logits = self.network(normalise(images, self.preprocessing))
        return probabilities(logits, self.temperature)


@dataclass(frozen=True)
class Graph:
    """A module in eval mode on the CPU, and the contract of the file that it becomes.

    `temperature` is what the logits are to be divided by before the softmax; in a graph that ends in probabilities
    they already are.
    """

    module: nn.Module
    artifact: Artifact
    preprocessing: bool
    temperature: float

    @property
    def output(self) -> str:
        """The name of what comes out."""
        return "probabilities" if self.preprocessing else "logits"

    def prepared(self, photos: Tensor) -> Tensor:
        """What the graph takes for photos of shape (batch, 3, crop, crop), uint8."""
        return photos if self.preprocessing else normalise(photos, self.artifact.preprocessing)

    def answers(self, batches: Sequence[Tensor]) -> list[Tensor]:
        """What PyTorch says of batches of what the graph takes."""
        with torch.inference_mode():
            return [self.module(images) for images in batches]

    def description(self) -> dict[str, Any]:
        """What whoever uses the file has to know, as JSON holds it."""
        crop = self.artifact.preprocessing.crop
        dtype, values = ("uint8", "pixels") if self.preprocessing else ("float32", "(pixels / 255 - mean) / std")
        output_shape = ["batch", len(self.artifact.class_names)]
        return {
            "input": {"name": "images", "dtype": dtype, "shape": ["batch", 3, crop, crop], "values": values},
            "output": {"name": self.output, "dtype": "float32", "shape": output_shape},
            "class_names": list(self.artifact.class_names),
            "preprocessing": self.artifact.preprocessing.to_dict(),
            "temperature": self.temperature,
            "versions": library_versions(),
        }

    def metadata(self) -> dict[str, str]:
        """The part of the description that goes into the file itself: texts of JSON."""
        described = self.description()
        chosen = {name: described[name] for name in ("class_names", "preprocessing", "temperature")}
        chosen["dogbreed_version"] = described["versions"]["dogbreed"]
        return {name: json.dumps(value) for name, value in chosen.items()}


def build_graph(artifact: Artifact, *, preprocessing: bool, calibrate: bool) -> Graph:
    """The graph of an artifact, which is left as it is.

    Args:
        artifact: on any device.
        preprocessing: whether the graph takes uint8 pixels and gives probabilities, not normalised floats and logits.
        calibrate: whether `temperature` is the artifact's; else 1.
    """
    temperature = artifact.temperature if calibrate else 1.0
    network: nn.Module = copy.deepcopy(artifact.network).cpu()
    if preprocessing:
        network = AnsweringNetwork(network, artifact.preprocessing, temperature)
    return Graph(network.eval().requires_grad_(False), artifact, preprocessing, temperature)
