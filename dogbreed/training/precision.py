"""Which number format a machine trains in."""

from __future__ import annotations

from collections.abc import Callable

import torch

from dogbreed.bfloat16 import has_bfloat16

MIXED = ("bf16-mixed", "16-mixed")

# The first whose condition holds.
PRECISIONS: tuple[tuple[str, Callable[[], bool]], ...] = (
    ("bf16-mixed", lambda: has_bfloat16("cuda")),
    ("16-mixed", torch.cuda.is_available),
    ("bf16-mixed", lambda: has_bfloat16("cpu")),
    ("32-true", lambda: True),
)


def automatic_precision(accelerator: str = "auto") -> str:
    """Mixed precision where the machine computes faster in it, else 32 bits."""
    candidates = PRECISIONS[2:] if accelerator == "cpu" else PRECISIONS
    return next(name for name, holds in candidates if holds())
