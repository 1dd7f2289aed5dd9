"""The C library's memory allocator, told to keep what it has."""

from __future__ import annotations

import ctypes
import platform

# Numbers of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Stop glibc from giving large blocks back after each use; whether it was told so.

    A network on a CPU frees and asks for the same blocks at every layer: with glibc's defaults about half of the
    time goes into the kernel's clearing of fresh pages. To be called by a command before it imports torch; a library
    that is imported leaves its caller's allocator alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1))
