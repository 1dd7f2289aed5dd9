"""Pretrained weights: read from a file without running any code of it, or fetched by the network's own library."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from dogbreed.errors import WeightsError

T = TypeVar("T")


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file, or of a state dict that `torch.save` wrote.

    Raises:
        WeightsError: no such file, not a state dict, or one that would run code when read.
    """
    check_exists(str(path))
    file = Path(path).expanduser()
    try:
        state = load_file(file) if file.suffix == ".safetensors" else _torch_load(file)
    except (
        SafetensorError,
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise WeightsError(f"Cannot read weights from {file}: {reason[:200]}") from error
    if not isinstance(state, dict) or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()):
        raise WeightsError(f"Expected a state dict (names to tensors) in {file}, found {type(state).__name__}.")
    return state


def check_exists(weights: str | None) -> None:
    """Whether there is a file where `model.weights` names one.

    Raises:
        WeightsError: there is none.
    """
    if weights not in (None, "imagenet") and not Path(str(weights)).expanduser().is_file():
        raise WeightsError(
            f"Expected model.weights to be imagenet, null or a file of weights, found no file {weights}."
        )


def _torch_load(file: Path) -> dict[str, Tensor]:
    # Torch warns of a foreign pickle before it refuses it.
    with warnings.catch_warnings(action="ignore"):
        state: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return state


def downloaded(name: str, fetch: Callable[[], T]) -> T:
    """What `fetch` brings, its failures told in one line.

    Raises:
        WeightsError: the weights cannot be fetched, or are damaged.
    """
    try:
        return fetch()
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"Cannot fetch the ImageNet weights of {name} ({reason[:160]}). Without a network: "
            "model.weights=PATH for a state dict on this machine, or model.weights=null to start from random weights."
        ) from error
