"""Several trials at once, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

# For a process that was told to end, to store where it is.
GRACE_SECONDS = 30.0
# Is given a lock that all workers share, runs trials until there are enough.
Work = Callable[[AbstractContextManager[Any]], None]


def share_work(work: Work, n_jobs: int, *, stopping: Callable[[], bool], meanwhile: Callable[[], None]) -> list[int]:
    """Do the same work in several processes.

    Args:
        work: can be pickled.
        n_jobs: how many processes.
        stopping: whether they are to end; each is then sent SIGTERM once.
        meanwhile: is called twice a second.

    Returns:
        The exit status of each process.
    """
    # Not forked: a process that has computed with several threads cannot be.
    context = multiprocessing.get_context("spawn")
    lock = context.Lock()
    processes = [context.Process(target=_work, args=(work, lock)) for _ in range(n_jobs)]
    try:
        _start(processes)
        told = False
        while alive := [process for process in processes if process.is_alive()]:
            wait([process.sentinel for process in alive], timeout=0.5)
            meanwhile()
            if stopping() and not told:
                told = True
                for process in alive:
                    process.terminate()
    finally:
        _end(processes)
    return [process.exitcode or 0 for process in processes]


def _start(processes: Sequence[BaseProcess]) -> None:
    # Ctrl-C reaches the first process alone, which passes it on: twice would mean at once.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for process in processes:
            process.start()
    finally:
        signal.signal(signal.SIGINT, before)


def _end(processes: Sequence[BaseProcess]) -> None:
    """Nobody works on when the first process has gone on."""
    alive = [process for process in processes if process.is_alive()]
    for process in alive:
        process.terminate()
    for process in alive:
        process.join(GRACE_SECONDS)
        process.kill()


def _work(work: Work, lock: AbstractContextManager[Any]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work(lock)
    sys.stdout.flush()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
