"""How much the row stores may take, and which of them go when one more needs room."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from dogbreed.caching.entries import Entry, entries, remove
from dogbreed.caching.sizes import size

IN_USE = 3600.0  # seconds since the last use during which a row store stays
RESERVED_SHARE, RESERVED_BYTES = 0.05, 2**30  # of the disk, for everyone else: the smaller of the two


def make_room(cache_dir: Path, needed_bytes: int, *, limit_bytes: int, keep: Path) -> str | None:
    """Remove row stores, least recently used first, until `needed_bytes` more can be written.

    Nothing is removed where that would not be enough.

    Args:
        cache_dir: the cache folder; nothing outside its row stores is touched.
        needed_bytes: to be written.
        limit_bytes: for all row stores together.
        keep: the folder of a row store that stays; so does each that was used within the last hour.

    Returns:
        A sentence why there is no room; None where there is.

    Raises:
        OSError: the cache folder cannot be looked into.
    """
    lacking, reason = _lacking(cache_dir, needed_bytes, limit_bytes)
    removable = [entry for entry in entries(cache_dir) if _may_go(entry, keep)]
    if lacking > sum(entry.bytes for entry in removable):
        return reason
    for entry in removable:
        if lacking > 0:
            lacking -= remove(entry)
    return reason if lacking > 0 else None


def _lacking(cache_dir: Path, needed_bytes: int, limit_bytes: int) -> tuple[int, str]:
    """How many bytes too few there are, and which bound says so."""
    taken, (total, _, free) = sum(entry.bytes for entry in entries(cache_dir)), shutil.disk_usage(_existing(cache_dir))
    reserved = min(int(RESERVED_SHARE * total), RESERVED_BYTES)
    remedy = "To make room: python -m dogbreed.cache clear=true"
    over_limit = (
        f"The cache holds {size(taken)}, and {size(needed_bytes)} more would exceed its limit of {size(limit_bytes)}."
    )
    over_disk = (
        f"The disk of {cache_dir} has {size(free)} free, {size(reserved)} of which stay free, and the cache needs "
        f"{size(needed_bytes)}."
    )
    return max(
        (taken + needed_bytes - limit_bytes, f"{over_limit} {remedy}"),
        (needed_bytes + reserved - free, f"{over_disk} {remedy}"),
    )


def _may_go(entry: Entry, keep: Path) -> bool:
    return entry.folder.resolve() != keep.resolve() and time.time() - entry.last_used > IN_USE


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
