"""Where a network computes."""

from __future__ import annotations

import torch

from dogbreed.errors import ConfigError


def existing_device(device: str | torch.device) -> torch.device:
    """The device of a name; "auto" for the accelerator of this machine, if it has one.

    Raises:
        ConfigError: this machine has no such device.
    """
    if device == "auto":
        # PyTorch 2.6 cannot be asked for both at once.
        found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return found or torch.device("cpu")
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ConfigError(
            f"Expected device to be auto, cpu, or a cuda or mps device that is there: {reason}"
        ) from error
