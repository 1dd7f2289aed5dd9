"""The rules that a run was made with, from what it has left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def rules_of_run(folder: Path) -> dict[str, dict[str, Any]] | None:
    """Rules and parameters of a run's `config.yaml`; None, which is all rules as they are, where there is none."""
    config = folder / "config.yaml"
    if not config.exists():
        return None
    debugger = (yaml.safe_load(config.read_text()) or {}).get("debugger") or {}
    return {name: given or {} for name, given in (debugger.get("rules") or {}).items()} or None
