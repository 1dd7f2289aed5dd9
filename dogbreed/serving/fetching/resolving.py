"""A host's addresses, within a time that the system's resolver does not know."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Sequence

from dogbreed.serving.fetching.allowance import Allowance

# A resolver that hangs holds its thread for as long as it likes: no more of them than this.
_THREADS = threading.BoundedSemaphore(8)


def resolve(host: str, port: int, allowance: Allowance) -> Sequence[str]:
    """Every address of a host, as text.

    Raises:
        OSError: it has none, or they were not found in time.
    """
    if not _THREADS.acquire(timeout=allowance.seconds_left()):
        raise TimeoutError
    found: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()
    threading.Thread(target=_resolve, args=(host, port, found), daemon=True).start()
    try:
        answer = found.get(timeout=allowance.seconds_left())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _resolve(host: str, port: int, found: queue.SimpleQueue[list[str] | OSError | UnicodeError]) -> None:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found.put([str(address[0]) for *_, address in answers])
    except (OSError, UnicodeError) as error:
        found.put(error)
    finally:
        _THREADS.release()
