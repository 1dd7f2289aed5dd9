"""One process at a time."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # not on Windows: there, two downloads at once are the user's to avoid
    fcntl = None  # type: ignore[assignment]
_CAN_LOCK = fcntl is not None


@contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let one process at a time work on `path`; the others wait. `<path>.lock` is there meanwhile.

    `waiting` is called before a wait; what it raises ends it. A file system without locks (some network drives) and a
    system without `fcntl` are used unlocked.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    with _lock_file(lock, waiting):
        try:
            yield
        finally:
            if _CAN_LOCK:
                lock.unlink(missing_ok=True)


def _lock_file(lock: Path, waiting: Callable[[], None]) -> IO[bytes]:
    while True:
        file = lock.open("ab")
        try:
            _wait_for(file, lock, waiting)
        except BaseException:
            file.close()
            raise
        if not _CAN_LOCK or _is_at(lock, file):
            return file
        file.close()


def _is_at(lock: Path, file: IO[bytes]) -> bool:
    """Whether `file` is still the one at `lock`: who held it before may have removed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), lock.stat())
    except FileNotFoundError:
        return False


def _wait_for(file: IO[bytes], lock: Path, waiting: Callable[[], None]) -> None:
    if not _CAN_LOCK:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logging.getLogger(__name__).info("Another process holds %s; waiting for it.", lock)
        waiting()
    except OSError:
        return
    else:
        return
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)
