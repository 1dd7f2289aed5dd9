"""A whole network computed by ONNX Runtime."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from dogbreed.errors import ConfigError
from dogbreed.models.any_batch import any_batch_program, as_onnx
from dogbreed.models.folding import folded

LIBRARIES = ("onnx", "onnxscript", "onnxruntime")


def has_onnx_runtime() -> bool:
    """Whether ONNX Runtime is installed, and what translates a network for it."""
    return all(find_spec(library) for library in LIBRARIES)


def onnx_forward(network: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
    """What computes `network` in float32 for batches of any size; any number of threads may ask.

    Raises:
        ConfigError: a library is missing, the images are not on a CPU, or the network cannot be translated.
    """
    if not has_onnx_runtime():
        raise ConfigError('This path needs ONNX Runtime: pip install -e ".[export]"')
    if images.device.type != "cpu":
        raise ConfigError(f"Expected the device of an ONNX Runtime path to be cpu, got {images.device.type}.")
    session = _session(folded(network), images)

    def forward(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {"images": images.detach().contiguous().numpy()})[0])

    return forward


def _session(network: nn.Module, images: Tensor) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        with warnings.catch_warnings(action="ignore"), torch.no_grad():
            model = as_onnx(any_batch_program(network, images), "logits").model_proto.SerializeToString()
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # Of many kinds: what the network does that torch.export, ONNX or its runtime does not know.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(f"ONNX Runtime cannot compute {type(network).__name__}: {reason}") from error
