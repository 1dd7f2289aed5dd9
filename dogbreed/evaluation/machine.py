"""With what figures were computed, for those who compute them again."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import torch

from dogbreed.artifacts import library_versions


def machine_facts(device: torch.device) -> dict[str, str]:
    """Machine, versions and date, by name."""
    return {
        "Machine": ", ".join(_machine(device)),
        "Versions": ", ".join(f"{name} {version}" for name, version in library_versions().items()),
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _machine(device: torch.device) -> Iterator[str]:
    yield f"{platform.system()} {platform.machine()}"
    yield f"{os.cpu_count()} processors"
    yield torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    yield f"Python {platform.python_version()}"


def weights_name(weights: str | None) -> str:
    """What a backbone began with; a file by its name alone: where it lies is nobody else's business.

    >>> weights_name("/home/me/weights/resnet50.pth")
    'resnet50.pth'
    """
    return Path(weights).name if weights else "none (random)"
