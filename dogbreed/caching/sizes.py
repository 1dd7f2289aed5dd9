"""Bytes in words."""

from __future__ import annotations

UNITS = ("B", "kB", "MB", "GB", "TB")


def size(count: int) -> str:
    """A number of bytes, at least 0, in the unit that leaves it below 1,000.

    >>> size(512), size(68_400_000), size(3 * 10**15)
    ('512 B', '68.4 MB', '3000.0 TB')
    """
    value, power = float(count), 0
    while value >= 999.95 and power < len(UNITS) - 1:
        value, power = value / 1000, power + 1
    return f"{value:.1f} {UNITS[power]}" if power else f"{count} B"
