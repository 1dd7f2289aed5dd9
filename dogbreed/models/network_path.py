"""What computes a whole network that only answers, for batches of any size."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dogbreed.errors import ConfigError
from dogbreed.models.folding import folded
from dogbreed.models.forward_paths import PATHS, Forward
from dogbreed.models.onnx_path import onnx_forward
from dogbreed.models.openvino_path import openvino_network_forward

# Each builder is given the network, and two images. What may answer another breed than the stored network does where
# two are nearly as probable, because it computes in bfloat16, is named so: it is chosen by its name only.
NETWORK_PATHS: dict[str, Callable[[nn.Module, Tensor], Forward]] = {
    "float32": lambda network, _: network,
    "folded-float32": lambda network, _: folded(network),
    "bfloat16": PATHS["bfloat16"],
    "onnxruntime-float32": onnx_forward,
    "openvino-float32": lambda network, images: openvino_network_forward(network, images, "f32"),
    "openvino-bfloat16": lambda network, images: openvino_network_forward(network, images, "bf16"),
}
# The fastest first.
EXACT = ("openvino-float32", "onnxruntime-float32", "folded-float32")
TOLERANCE = 1e-5


class NetworkPath(NamedTuple):
    """A key of `NETWORK_PATHS`, and the function: normalised float32 images on the network's device to their logits."""

    name: str
    forward: Forward


def network_path(name: str, network: nn.Module, image_size: int) -> NetworkPath:
    """What computes a network.

    Args:
        name: a key of `NETWORK_PATHS`, or "auto" for the fastest that is installed and gives the probabilities of the
            network as it is stored, to 1e-5.
        network: in eval mode, on its device; it is left as it is.
        image_size: side of the images, in pixels.

    Raises:
        ConfigError: an unknown name, a library is missing, or it cannot read the network.
    """
    images = _noise(image_size).to(next(network.parameters()).device)
    if name == "auto":
        return _fastest_exact(network, images)
    if name not in NETWORK_PATHS:
        raise ConfigError(f"Expected backend to be auto or one of {', '.join(NETWORK_PATHS)}, got {name!r}.")
    return NetworkPath(name, NETWORK_PATHS[name](network, images))


def _fastest_exact(network: nn.Module, images: Tensor) -> NetworkPath:
    for name in EXACT:
        # One that is not installed, or that cannot read this network, is passed by.
        with suppress(ConfigError):
            forward = NETWORK_PATHS[name](network, images)
            if _difference(forward, network, images) <= TOLERANCE:
                return NetworkPath(name, forward)
    return NetworkPath("float32", network)


def _difference(forward: Forward, network: nn.Module, images: Tensor) -> float:
    with torch.inference_mode():
        answered, expected = forward(images).softmax(1), network(images).softmax(1)
    return float((answered - expected).abs().max())


def _noise(image_size: int) -> Tensor:
    return torch.randn(2, 3, image_size, image_size, generator=torch.Generator().manual_seed(0))
