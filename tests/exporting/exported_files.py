"""Asking an exported file, by its own runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

SUFFIXES = {"onnx": ".onnx", "torch_export": ".pt2"}


def ask_onnx(file: Path, images: Tensor) -> Tensor:
    (answers,) = onnxruntime.InferenceSession(file).run(None, {"images": images.numpy()})
    return torch.from_numpy(answers)


def ask_torch_export(file: Path, images: Tensor) -> Tensor:
    answers: Tensor = torch.export.load(file).module()(images)
    return answers


ASK: dict[str, Callable[[Path, Tensor], Tensor]] = {"onnx": ask_onnx, "torch_export": ask_torch_export}
