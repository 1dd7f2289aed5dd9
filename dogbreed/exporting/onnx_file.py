"""An `.onnx` file: the graph and its weights, for ONNX Runtime and whatever else reads ONNX."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dogbreed.exporting import onnx_answers
from dogbreed.exporting.destination import Destination
from dogbreed.exporting.error import ExportError
from dogbreed.exporting.program import Program
from dogbreed.models.any_batch import as_onnx

# An ONNX file is one protobuf message, of less than 2 GiB; the rest is for the graph.
LARGEST = 2 * 10**9


def write_onnx(program: Program, destination: Destination) -> None:
    """Write the program with its metadata; where it has more than `LARGEST` bytes of weights, those beside it.

    Raises:
        ExportError: an operation of the network has no translation, or `onnx.checker` refuses what came out.
    """
    translated = _translated(program)
    translated.model.metadata_props.update(program.metadata)
    if sum(tensor.nbytes for tensor in program.exported.state_dict.values()) > LARGEST:
        _write_in_two(translated.model, destination)
    else:
        destination.file.write(translated.model_proto.SerializeToString())
        destination.file.flush()
    _check(destination.partial)


def _translated(program: Program) -> Any:
    try:
        return as_onnx(program.exported, program.output)
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0].partition(". See the stack trace")[0]
        raise ExportError(f"The network cannot be written as ONNX ({reason}): format=torch_export") from error


def _write_in_two(model: Any, destination: Destination) -> None:
    from onnxscript import ir

    ir.save(model, destination.partial, external_data=destination.weights.name)
    with destination.weights.open("rb") as written:
        os.fsync(written.fileno())


def _check(file: Path) -> None:
    import onnx

    try:
        onnx.checker.check_model(file, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"The exported file is no valid ONNX: {str(error).strip().splitlines()[0]}") from error


def onnx_runtime_answers(file: Path, batches: Sequence[Tensor]) -> list[Tensor]:
    """What ONNX Runtime says of each batch, in a process that has never seen torch.

    Raises:
        ExportError: it cannot run the file.
    """
    with TemporaryDirectory() as folder:
        for number, images in enumerate(batches):
            np.save(Path(folder) / f"images-{number}.npy", images.numpy(), allow_pickle=False)
        # Not by the module's name: nothing says that the other process finds this package.
        command = [sys.executable, "-P", onnx_answers.__file__, str(file), folder]
        run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (nothing of it is foreign)
        if run.returncode:
            reason = (run.stderr.strip().splitlines() or [f"exit status {run.returncode}"])[-1]
            raise ExportError(f"ONNX Runtime cannot run the exported file: {reason}")
        paths = [Path(folder) / f"answers-{number}.npy" for number in range(len(batches))]
        return [torch.from_numpy(np.load(path, allow_pickle=False)) for path in paths]
