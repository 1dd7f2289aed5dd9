"""smdebug in an image that lacks it: SageMaker's own images of today do."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dogbreed.data.lock import locked
from dogbreed.debugging.hooks import smdebug_pytorch
from dogbreed.errors import ConfigError

# Without what they depend on: the image has it, in versions of its own. The latter two go with the first.
PINNED = ("smdebug==1.0.34", "pyinstrument==3.4.2", "pyinstrument_cext==0.2.4")
INSTALL = (
    *("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"),
    *("--no-deps", *PINNED),
)


def why_nothing_is_recorded(folder: Path) -> str | None:
    """Why smdebug cannot be used, also after it was tried to install it; None where it can.

    Args:
        folder: for a lock: of the processes of a host one installs.
    """
    if _fault() is None:
        return None
    with locked(folder / "smdebug"):
        # Another process may have installed it meanwhile.
        importlib.invalidate_caches()
        if _fault() is None:
            return None
        installed = subprocess.run([sys.executable, *INSTALL], capture_output=True, text=True, check=False)  # noqa: S603
        importlib.invalidate_caches()
    fault = _fault()
    said = installed.stderr.strip().splitlines()
    return f"{fault} pip said: {said[-1]}" if fault and said else fault


def without_recording(overrides: Sequence[str]) -> list[str]:
    """The overrides of the same run with the rules alone, which need no smdebug.

    >>> without_recording(["debugger.trial=true"])
    ['debugger.trial=true', 'debugger=rules', 'debugger.trial=false']
    """
    chosen = any(override.startswith("debugger=") for override in overrides)
    return [*overrides, *([] if chosen else ["debugger=rules"]), "debugger.trial=false"]


def _fault() -> str | None:
    try:
        smdebug_pytorch()
    except ConfigError as error:
        return str(error)
    return None
