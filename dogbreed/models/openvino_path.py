"""A frozen part computed by OpenVINO, the fastest on a CPU."""

from __future__ import annotations

import copy
import sys
import threading
import warnings
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from dogbreed.errors import ConfigError
from dogbreed.models.any_batch import any_batch_program
from dogbreed.models.folding import folded
from dogbreed.silence import silent_exporters

LIBRARY = "openvino"


def has_openvino() -> bool:
    """Whether OpenVINO is installed."""
    return find_spec(LIBRARY) is not None


def openvino_version() -> str:
    """The library's version.

    Raises:
        ConfigError: OpenVINO is missing.
    """
    _check_installed()
    return version(LIBRARY)


def openvino_forward(lower: nn.Module, images: Tensor, number_format: str) -> Callable[[Tensor], Tensor]:
    """What computes `lower` for batches of exactly the shape of `images`, in "bf16" or "f32".

    Raises:
        ConfigError: OpenVINO is missing, the images are not on a CPU, or it cannot convert this network.
    """
    openvino = _openvino(images)
    compiled = _compiled(openvino, lower, images, number_format, _same_batch_program)

    def forward(images: Tensor) -> Tensor:
        return torch.from_numpy(compiled(images.detach().contiguous().numpy())[0])

    return forward


def openvino_network_forward(network: nn.Module, images: Tensor, number_format: str) -> Callable[[Tensor], Tensor]:
    """As `openvino_forward`, for batches of any size; any number of threads may ask, one is answered at a time.

    Args:
        network: its argument is called `images`.
        images: at least two.
        number_format: "bf16" or "f32".

    Raises:
        ConfigError: as `openvino_forward`.
    """
    openvino = _openvino(images)
    # OpenVINO would fold it as well, after reading twice as many operations.
    compiled = _compiled(openvino, folded(network), images, number_format, any_batch_program)
    turn = threading.Lock()

    def forward(images: Tensor) -> Tensor:
        # A compiled network has one place for what it computes, and all of the threads.
        with turn:
            return torch.from_numpy(compiled(images.detach().contiguous().numpy())[0])

    return forward


def _check_installed() -> None:
    if not has_openvino():
        raise ConfigError('This path needs OpenVINO: pip install -e ".[openvino]"')


def _openvino(images: Tensor) -> Any:
    _check_installed()
    if images.device.type != "cpu":
        raise ConfigError(f"Expected the device of an OpenVINO path to be cpu, got {images.device.type}.")
    # OpenVINO reports its use over the network, unless this package, which it can do without, is missing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _same_batch_program(lower: nn.Module, images: Tensor) -> ExportedProgram:
    with silent_exporters():
        return torch.export.export(lower, (images,))


def _compiled(
    openvino: Any,
    lower: nn.Module,
    images: Tensor,
    number_format: str,
    program: Callable[[nn.Module, Tensor], ExportedProgram],
) -> Any:
    lower = copy.deepcopy(lower).eval().requires_grad_(False)
    settings = {
        "INFERENCE_PRECISION_HINT": number_format,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
    }
    try:
        with warnings.catch_warnings(action="ignore"), silent_exporters(), torch.no_grad():
            graph = openvino.convert_model(program(lower, images))
        return openvino.compile_model(graph, "CPU", settings)
    # Of many kinds, with pages of text: what the network does that torch.export or OpenVINO does not know.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(f"OpenVINO cannot convert {type(lower).__name__}: {reason}") from error
