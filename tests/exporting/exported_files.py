"""Asking an exported file, by its own runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

SUFFIXES = {"onnx": ".onnx", "torch_export": ".pt2"}


def ask_onnx(file: Path, *batches: Tensor) -> Tensor:
    session = onnxruntime.InferenceSession(file)
    return torch.cat([torch.from_numpy(session.run(None, {"images": images.numpy()})[0]) for images in batches])


def ask_torch_export(file: Path, *batches: Tensor) -> Tensor:
    module = torch.export.load(file).module()
    return torch.cat([module(images) for images in batches])


ASK: dict[str, Callable[..., Tensor]] = {"onnx": ask_onnx, "torch_export": ask_torch_export}
