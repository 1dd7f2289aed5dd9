"""Which number format a machine trains in."""

from __future__ import annotations

from collections.abc import Callable

import torch

# Instructions without which a processor emulates bfloat16, slower than it computes in float32.
CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16")


def _cpu_has_bfloat16() -> bool:
    # A public function since torch 2.10.
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in CPU_BFLOAT16)


# The first whose condition holds.
PRECISIONS: tuple[tuple[str, Callable[[], bool]], ...] = (
    (
        "bf16-mixed",
        lambda: torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False),
    ),
    ("16-mixed", torch.cuda.is_available),
    ("bf16-mixed", _cpu_has_bfloat16),
    ("32-true", lambda: True),
)


def automatic_precision(accelerator: str = "auto") -> str:
    """Mixed precision where the machine computes faster in it, else 32 bits."""
    candidates = PRECISIONS[2:] if accelerator == "cpu" else PRECISIONS
    return next(name for name, holds in candidates if holds())
