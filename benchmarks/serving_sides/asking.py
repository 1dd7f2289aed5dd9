"""Clients that ask without a pause, and what they waited."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

JPEG = {"Content-Type": "image/jpeg", "Accept": "application/json"}


@dataclass
class Waits:
    """Of the requests to one server: the seconds that each took, and those that all of them took together."""

    seconds: list[float] = field(default_factory=list)
    together: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.together

    def percentile(self, share: int) -> float:
        """Milliseconds that `share` percent of the requests did not exceed."""
        return 1000 * statistics.quantiles(self.seconds, n=100, method="inclusive")[share - 1]


def ask(port: int, body: bytes, requests: int, clients: int, waits: Waits) -> None:
    """Ask so often in all, each client on a connection of its own and as soon as it has its last answer.

    Raises:
        RuntimeError: an answer was none.
    """
    left, lock, faults = iter(range(requests)), threading.Lock(), list[str]()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while _next(left, lock) and not faults:
            start = time.perf_counter()
            status = _status(connection, body)
            if status != 200:
                faults.append(f"Expected an answer, got status {status}.")
            waits.seconds.append(time.perf_counter() - start)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waits.together += time.perf_counter() - start
    if faults:
        raise RuntimeError(faults[0])


def _next(left: Iterator[int], lock: threading.Lock) -> bool:
    with lock:
        return next(left, None) is not None


def _status(connection: http.client.HTTPConnection, body: bytes) -> int:
    try:
        connection.request("POST", "/invocations", body, JPEG)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except OSError:
        return 0
