"""What both callbacks take from the module and from a batch."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import nn

from dogbreed.debugging import observed
from dogbreed.debugging.taps import Taps
from dogbreed.errors import ConfigError


def network_of(module: Any) -> nn.Module:
    """The network that a module trains."""
    network: nn.Module = module.network
    return network


def criterion_of(module: Any) -> nn.Module:
    """The loss that it trains by."""
    criterion: nn.Module = module.criterion
    return criterion


def refuse_compiled(module: Any) -> None:
    """See that layers are called one by one.

    Raises:
        ConfigError: the module, or a part of it, is compiled.
    """
    compiled = (getattr(m, "_compiled_call_impl", None) or hasattr(m, "_orig_mod") for m in module.modules())
    if getattr(module, "_compiler_ctx", None) or any(compiled):
        raise ConfigError(
            "The debugger sees what goes through each layer, which torch.compile takes apart: train without "
            "compiling, or with debugger=off."
        )


def tell_batch(taps: Taps, module: Any, batch: Any) -> None:
    """Give the labels, some pixels, and the statistics of frozen layers, where they are due."""
    if taps.due("labels"):
        taps.tell("labels", "labels", observed.labels(batch))
    taps.tell("wall_time", "wall_time", torch.tensor(time.time(), dtype=torch.float64))
    if module.takes_features:
        return
    if taps.due("input_image") and observed.images_are_normalised(module):
        taps.tell("input_image", "input_image", observed.few_pixels(batch[0]))
    if taps.due("frozen_statistics"):
        for name, value in observed.frozen_statistics(network_of(module)):
            taps.tell(f"{name}/frozen_statistics", "frozen_statistics", value)
