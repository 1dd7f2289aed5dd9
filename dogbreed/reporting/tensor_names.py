"""Names of tensors that fit beside a figure."""

from __future__ import annotations

from collections.abc import Sequence

from dogbreed.reporting.figure_style import label

LETTERS = 26
ENDS = "._/"


def short_names(names: Sequence[str]) -> list[str]:
    """The names without the beginning that all of them share, of long ones the end, ready for a figure.

    >>> short_names(["gradient/Net_layer1.0.weight", "gradient/Net_layer2.0.bias"])
    ['layer1.0.weight', 'layer2.0.bias']
    """
    beginning = _shared(min(names), max(names)) if len(set(names)) > 1 else 0
    return [label(_end(name[beginning:])) for name in names]


def _shared(first: str, last: str) -> int:
    """Letters of the beginning that two names share, up to an end of a word."""
    letters = next((place for place, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), 0)
    return max(first[:letters].rfind(end) + 1 for end in ENDS)


def _end(name: str) -> str:
    return name if len(name) <= LETTERS else f"…{name[1 - LETTERS :]}"
