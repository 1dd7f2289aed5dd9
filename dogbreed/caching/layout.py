"""Where the cache folder is, and what lies where in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from dogbreed.errors import CacheError

ABOUT_FILE, USED_FILE, BLOCK_SUFFIX = "about.json", "used", ".safetensors"


def cache_folder(chosen: str = "") -> Path:
    """The folder that was chosen, else `$DOGBREED_CACHE`, else `~/.cache/dogbreed`.

    Raises:
        CacheError: it begins with `~` and that user has no home.
    """
    folder = chosen or os.environ.get("DOGBREED_CACHE") or "~/.cache/dogbreed"
    try:
        return Path(folder).expanduser()
    # A container can run as a user without a home.
    except RuntimeError as error:
        message = f"Expected {folder} to be a folder, but there is no such home. Name another: cache_dir=PATH"
        raise CacheError(message) from error


def rows_folder(cache_dir: Path) -> Path:
    """The folder that has a folder for each row store; all else in `cache_dir` is not theirs."""
    return cache_dir / "rows"


def block_files(folder: Path) -> list[Path]:
    """The block files of a row store, whole or damaged; none where there is no folder that can be read."""
    try:
        return sorted(folder.glob(f"*{BLOCK_SUFFIX}"))
    except OSError:
        return []


def read_about(folder: Path) -> dict[str, Any]:
    """What a row store says of itself; nothing where it says nothing that can be read."""
    try:
        about = json.loads((folder / ABOUT_FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}
