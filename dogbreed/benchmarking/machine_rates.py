"""What the machine can do at most: arithmetic and memory, of which the floors are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dogbreed.benchmarking.rounds import Side, in_turn, rate

FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
MOST_SECONDS = 1.0  # a rate: these are regular
COPIED = 2**28  # bytes: more than any cache


@dataclass(frozen=True)
class MachineRates:
    """What was measured; `operations` a second in each number format, `bandwidth` of the memory in bytes a second."""

    operations: dict[str, float]
    bandwidth: float


def machine_rates(device: torch.device, formats: Sequence[str], seconds: float) -> MachineRates:
    """The better of a large matrix product and a convolution as networks have it, for each format, and a copy.

    Args:
        device: that computes; the copy is one in main memory.
        formats: keys of `FORMATS`.
        seconds: for each measurement; `MOST_SECONDS` at most.
    """
    sides = {f"{kind} {name}": made(device, FORMATS[name]) for name in formats for kind, made in WORK.items()}
    samples = in_turn({**sides, "copy": _copy()}, min(seconds, MOST_SECONDS))
    best = {name: max(found) for name, found in samples.items()}
    return MachineRates({f: max(best[f"{kind} {f}"] for kind in WORK) for f in formats}, best["copy"])


@torch.no_grad()
def forward_operations(network: nn.Module, image: Tensor) -> int:
    """Multiplications and additions of a forward pass in eval mode; `network` is left in its mode."""
    was_training = network.training
    with FlopCounterMode(display=False) as counter:
        network.eval()(image)
    network.train(was_training)
    return int(counter.get_total_flops())


def _product(device: torch.device, dtype: torch.dtype) -> Side:
    # An accelerator is not busy with less.
    side = 2048 if device.type == "cpu" else 8192
    matrix = torch.randn(side, side, device=device, dtype=dtype)
    return rate(lambda: matrix @ matrix, 2 * side**3, device)


def _convolution(device: torch.device, dtype: torch.dtype) -> Side:
    batch, channels, side = 32 if device.type == "cpu" else 512, 256, 14
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False, device=device, dtype=dtype).requires_grad_(False)
    layer = layer.to(memory_format=torch.channels_last)
    images = torch.randn(batch, channels, side, side, device=device, dtype=dtype)
    images = images.contiguous(memory_format=torch.channels_last)
    return rate(lambda: layer(images), 2 * batch * side**2 * channels**2 * 9, device)


def _copy() -> Side:
    # Written to once: memory that never was is not there yet.
    source, target = torch.ones(2, COPIED, dtype=torch.uint8)
    # Read and written.
    return rate(lambda: target.copy_(source), 2 * COPIED, torch.device("cpu"))


WORK = {"matrix product": _product, "convolution": _convolution}
