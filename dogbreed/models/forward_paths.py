"""Ways to compute the frozen part of a network: how fast depends on the machine, what comes out hardly."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from dogbreed.bfloat16 import has_bfloat16
from dogbreed.errors import ConfigError
from dogbreed.models.folding import folded
from dogbreed.models.openvino_path import has_openvino, openvino_forward, openvino_version
from dogbreed.silence import silent_exporters

# Normalised float32 images, shape (n, 3, size, size), n at most the batch size, on the device of the network, to their
# activations, shape (n, ...), float32 or bfloat16, without gradients but fit to be given to layers that are trained.
Forward = Callable[[Tensor], Tensor]


def _float32(lower: nn.Module, _: Tensor) -> Forward:
    return _evaluating(copy.deepcopy(lower).eval().requires_grad_(False), torch.float32)


def _bfloat16(lower: nn.Module, _: Tensor) -> Forward:
    return _evaluating(folded(lower), torch.bfloat16)


def _compiled(lower: nn.Module, images: Tensor) -> Forward:
    module = folded(lower)
    # Freezing lays out the weights for the CPU's own instructions; a GPU has nothing to gain from it.
    module.compile(dynamic=False, options={"freezing": True} if images.device.type == "cpu" else None)
    forward = _padded(_evaluating(module, torch.bfloat16), len(images))
    try:
        with warnings.catch_warnings(action="ignore"), silent_exporters():
            forward(images)
    # Of many kinds, most often because there is no C++ compiler.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(
            f"The path compiled needs a C++ compiler (apt install g++) and a network that torch.compile takes: {reason}"
        ) from error
    return forward


def _openvino(number_format: str) -> Callable[[nn.Module, Tensor], Forward]:
    return lambda lower, images: _padded(openvino_forward(lower, images, number_format), len(images))


# Each builder is given the frozen part, which it copies, and a full batch of images.
PATHS: dict[str, Callable[[nn.Module, Tensor], Forward]] = {
    "float32": _float32,
    "bfloat16": _bfloat16,
    "compiled": _compiled,
    "openvino-float32": _openvino("f32"),
    "openvino-bfloat16": _openvino("bf16"),
}


# Those whose activations are those of the network as it is stored, to the last digits.
EXACT = ("float32", "openvino-float32")


def choose_path(device: torch.device, *, mixed_precision: bool = True, long: bool = True) -> str:
    """The fastest path of a device; "compiled" gained one percent on a CPU, for half a minute.

    Args:
        device: that computes.
        mixed_precision: whether it may compute in less than 32 bits.
        long: whether it computes long enough to repay seconds in which a library reads the network.
    """
    library = "openvino-" if long and device.type == "cpu" and has_openvino() else ""
    return f"{library}{'bfloat16' if mixed_precision and has_bfloat16(device.type) else 'float32'}"


def build_path(name: str, lower: nn.Module, *, batch_size: int, image_size: int) -> Forward:
    """What computes a frozen part; it holds a copy, so that training goes on beside it.

    Args:
        name: of `PATHS`, or "auto" for `choose_path`.
        lower: the frozen part, from `cut`, on its device, in any mode: it is computed in eval mode.
        batch_size: the largest number of images that will be given at once.
        image_size: side of the images, in pixels.

    Raises:
        ConfigError: an unknown name, a library or a compiler is missing, or the network cannot be converted.
    """
    device = next(lower.parameters()).device
    images = torch.zeros(batch_size, 3, image_size, image_size, device=device)
    return PATHS[_known(name, device)](lower, images)


def path_name(name: str, device: torch.device) -> str:
    """What computes, in words: activations that were computed in two ways differ a little.

    Raises:
        ConfigError: an unknown name, or a library is missing.

    >>> path_name("float32", torch.device("cpu"))
    'float32 on cpu'
    """
    name = _known(name, device)
    version = f" of {openvino_version()}" if name.startswith("openvino") else ""
    return f"{name}{version} on {device.type}"


def _known(name: str, device: torch.device) -> str:
    name = choose_path(device) if name == "auto" else name
    if name not in PATHS:
        raise ConfigError(f"Expected model.frozen_forward to be auto or one of {', '.join(PATHS)}, got {name!r}.")
    return name


def relative_error(activations: Tensor, expected: Tensor) -> float:
    """The largest ||a - b|| / ||b|| of an image, b being the expected activations; infinite where a is not finite.

    >>> expected = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    >>> f"{relative_error(expected + torch.tensor([0.0, 0.01]), expected):.3f}"
    '0.010'
    """
    a, b = (tensor.flatten(1).double() for tensor in (activations, expected))
    errors = (a - b).norm(dim=1) / b.norm(dim=1).clamp_min(torch.finfo(torch.float32).tiny)
    return float(errors.nan_to_num(math.inf, math.inf).max())


def _evaluating(module: nn.Module, dtype: torch.dtype) -> Forward:
    module = module.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def forward(images: Tensor) -> Tensor:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            activations: Tensor = module(images.contiguous(memory_format=torch.channels_last))
        return activations

    return forward


def _padded(forward: Forward, batch_size: int) -> Forward:
    """For what computes batches of one size only: a smaller one is filled up with zeros."""

    def of_any_size(images: Tensor) -> Tensor:
        missing = batch_size - len(images)
        filled = torch.cat([images, images.new_zeros(missing, *images.shape[1:])]) if missing else images
        return forward(filled)[: len(images)]

    return of_any_size
