"""Which number format a machine trains in."""

from __future__ import annotations

from collections.abc import Callable

import torch

# The first whose condition holds.
PRECISIONS: tuple[tuple[str, Callable[[], bool]], ...] = (
    (
        "bf16-mixed",
        lambda: torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False),
    ),
    ("16-mixed", torch.cuda.is_available),
    ("32-true", lambda: True),
)


def automatic_precision(accelerator: str = "auto") -> str:
    """Mixed precision where the machine computes faster in it, else 32 bits."""
    if accelerator == "cpu":
        return "32-true"
    return next(name for name, holds in PRECISIONS if holds())
