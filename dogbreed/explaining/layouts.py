"""How the places of a picture lie in a layer's output, and that output seen as maps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, cat

# Class tokens, distillation tokens and registers stand before those of the patches; no network has as many as this.
MOST_PREFIX_TOKENS = 16


@dataclass(frozen=True)
class Layout:
    """Two views of one output, inverse to each other.

    Args:
        to_maps: the output as maps of shape (batch, channels, height, width).
        to_output: such maps, and the output for what belongs to no place, in the shape of the output.
    """

    to_maps: Callable[[Tensor], Tensor]
    to_output: Callable[[Tensor, Tensor], Tensor]


CHANNELS_FIRST = Layout(lambda output: output, lambda maps, _: maps)
CHANNELS_LAST = Layout(lambda output: output.permute(0, 3, 1, 2), lambda maps, _: maps.permute(0, 2, 3, 1))


def layout_of(output: Tensor) -> Layout | None:
    """The layout of a layer's output for square images; None where it has no places, or only one.

    >>> from torch import zeros
    >>> layout_of(zeros(2, 197, 768)).to_maps(zeros(2, 197, 768)).shape
    torch.Size([2, 768, 14, 14])
    >>> layout_of(zeros(2, 512, 1, 1)) is None
    True
    """
    of_rank = _BY_RANK.get(output.ndim)
    return of_rank(output) if of_rank else None


def _of_maps(output: Tensor) -> Layout | None:
    _, first, second, third = output.shape
    if second == third > 1:
        return CHANNELS_FIRST
    return CHANNELS_LAST if first == second > 1 else None


def _of_tokens(output: Tensor) -> Layout | None:
    """Tokens of shape (batch, tokens, channels): those of the patches row by row, after those of no place."""
    side = math.isqrt(output.shape[1])
    prefix = output.shape[1] - side**2
    if side < 2 or prefix > MOST_PREFIX_TOKENS:
        return None
    return Layout(
        lambda output: output[:, prefix:].transpose(1, 2).reshape(len(output), -1, side, side),
        lambda maps, output: cat([output[:, :prefix], maps.flatten(2).transpose(1, 2)], dim=1),
    )


_BY_RANK: dict[int, Callable[[Tensor], Layout | None]] = {4: _of_maps, 3: _of_tokens}
