"""The hashes of files found earlier, so that only files that changed are read again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from dogbreed.atomic import write_text

# Count up when what is remembered changes: older files are then ignored.
VERSION = 1
# Within so long after a change, a second one may leave the same time behind: such a hash is not remembered.
YOUNG_NANOSECONDS = 2_000_000_000


@dataclass(frozen=True)
class Stamp:
    """What a file was when it was read: its size in bytes, its last change in ns, and its number on disk."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """From what the system says."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)

    @property
    def is_old(self) -> bool:
        """Whether a later change would show."""
        return abs(time.time_ns() - self.mtime_ns) > YOUNG_NANOSECONDS


@dataclass
class HashCache:
    """SHA-256 in hexadecimal by path and stamp.

    Args:
        file: where they are kept between runs; None for nowhere.
    """

    file: Path | None
    _known: dict[str, tuple[Stamp, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Whatever is wrong with what was remembered, it can be found out again.
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            content = json.loads(self.file.read_bytes() if self.file else "{}")
            if content["version"] == VERSION:
                self._known = {path: _entry(row) for path, row in content["files"].items()}

    def known(self, path: Path, stamp: Stamp) -> str | None:
        """The hash of an unchanged file."""
        remembered, sha256 = self._known.get(str(path), (None, ""))
        return sha256 if remembered == stamp else None

    def remember(self, path: Path, stamp: Stamp, sha256: str) -> None:
        """For `save`."""
        if stamp.is_old:
            self._known[str(path)] = (stamp, sha256)

    def save(self) -> None:
        """Write the file anew; on a disk that takes nothing, nothing is remembered."""
        rows = {path: [s.size, s.mtime_ns, s.inode, sha256] for path, (s, sha256) in self._known.items()}
        with contextlib.suppress(OSError):
            if self.file is not None:
                write_text(self.file, json.dumps({"version": VERSION, "files": rows}))


def hash_cache(root: Path, cache_dir: Path) -> HashCache:
    """The cache of one folder's files."""
    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    return HashCache(cache_dir / f"hashes-{name}.json")


def _entry(row: list[object]) -> tuple[Stamp, str]:
    size, mtime_ns, inode, sha256 = row
    if not all(isinstance(number, int) for number in (size, mtime_ns, inode)) or len(bytes.fromhex(str(sha256))) != 32:
        raise ValueError
    return Stamp(int(str(size)), int(str(mtime_ns)), int(str(inode))), str(sha256)
