"""A network as torch.export sees it, for batches of any size: what other libraries read it from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from dogbreed.silence import silent_exporters

# The one that the exporter's own translations are written for: any other is a conversion after it.
OPSET = 18


def any_batch_program(network: nn.Module, images: Tensor) -> ExportedProgram:
    """The graph of a network whose argument is called `images`.

    Args:
        network: in eval mode, nothing asking for gradients.
        images: what it takes, at least two: of one the exporter would make a constant.

    Raises:
        Exception: of many kinds, where the network's code follows the values of its images, or their number.
    """
    with silent_exporters():
        return torch.export.export(network, (images,), dynamic_shapes={"images": {0: Dim("batch")}}, strict=False)


def as_onnx(program: ExportedProgram, output: str) -> Any:
    """The program translated by torch's exporter, its input called `images`; needs onnx and onnxscript.

    Raises:
        torch.onnx.errors.OnnxExporterError: an operation has no translation.
    """
    with silent_exporters():
        return torch.onnx.export(
            program,
            dynamo=True,
            optimize=True,
            verbose=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=[output],
            dynamic_shapes={"images": {0: "batch"}},
        )
