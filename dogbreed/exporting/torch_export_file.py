"""A `.pt2` file: the graph and its weights, to be loaded by PyTorch alone, without this package.

`torch.export.load` is not safe with a stranger's file. It reads the graph as JSON and the weights as raw bytes, but an
archive can ask for tensors and constants to be unpickled, which runs what code it likes, and example inputs that
are not plain tensors are unpickled too. Here it loads nothing but what this process has just written. Load a `.pt2`
only where you trust whoever made it, after comparing its SHA-256 with the one in `FILE.json`; the model folder
itself (safetensors and JSON) can be loaded from anywhere.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from dogbreed.exporting.destination import Destination
from dogbreed.exporting.program import Program


def write_torch_export(program: Program, destination: Destination) -> None:
    """Write the program with its metadata as extra files."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Weights in channels-last layout; what is then done is right, and compared after loading.
        warnings.filterwarnings("ignore", "No complete tensor found in the group", UserWarning)
        torch.export.save(program.exported, buffer, extra_files=dict(program.metadata))
    destination.file.write(buffer.getbuffer())


def torch_export_answers(file: Path, batches: Sequence[Tensor]) -> list[Tensor]:
    """What the file, loaded again, says of each batch."""
    with file.open("rb") as opened, torch.inference_mode():
        module = torch.export.load(opened).module()
        return [module(images) for images in batches]
