"""The processes that a process has started, and those that they have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")


def descendants(pid: int) -> list[int]:
    """Those that are running now; none where the system does not tell (only Linux does)."""
    return [below for child in _children(pid) for below in (child, *descendants(child))]


def _children(pid: int) -> Iterator[int]:
    for tasks in (PROCESSES / str(pid) / "task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, tasks.read_text().split())
