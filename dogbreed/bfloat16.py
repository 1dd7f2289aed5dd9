"""Whether a device computes faster in bfloat16 than in 32 bits."""

from __future__ import annotations

import torch

# Instructions without which a processor emulates bfloat16, slower than it computes in float32.
CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16")


def has_bfloat16(device_type: str) -> bool:
    """Whether devices of a type have instructions for bfloat16; of others than "cpu" and "cuda" it is not known."""
    if device_type == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    # A public function since torch 2.10.
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return device_type == "cpu" and any(capabilities.get(name) for name in CPU_BFLOAT16)
