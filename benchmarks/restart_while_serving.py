"""Requests without a pause, and a restart of the server in the middle: how many were accepted, and lost?

    python benchmarks/restart_while_serving.py model=DIR requests=1000 clients=16

The server gets SIGTERM once half of the requests are answered, and is started again on the same port when it has ended.
A client that is refused (no connection, 503) or whose connection ends before a byte of the answer comes asks again, and
that is counted. What the server accepted is in its log, a line for each request: none may lack its answer.
"""

from __future__ import annotations

import http.client
import io
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from dogbreed.options import only_options

JPEG = {"Content-Type": "image/jpeg"}
READY = "ready"


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    model: str = field(default="", metadata={"needed": "Expected model=DIR."})
    requests: int = field(default=1000, metadata={"least": 2})
    clients: int = field(default=16, metadata={"least": 1})
    backend: str = "auto"


@dataclass(frozen=True)
class Outcome:
    """What came of them.

    Attributes:
        answered: requests whose answer was read.
        accepted: requests in the logs, except those that were refused.
        lost: accepted, not answered with 200.
        asked_again: requests that were refused, or found no server.
        seconds_without: from SIGTERM until the next server answered a photo.
        statuses: how the two servers ended.
    """

    answered: int
    accepted: int
    lost: int
    asked_again: int
    seconds_without: float
    statuses: tuple[int, int]


class Asking:
    """So many requests, by clients that share the work.

    Args:
        port: of the server.
        requests: in all.
    """

    def __init__(self, port: int, requests: int) -> None:
        self._port, self._left, self._body = port, requests, photo()
        self._lock = threading.Lock()
        self.answered = self.asked_again = 0

    def ask_all(self) -> None:
        """Ask until there is nothing left to ask, on one connection as long as it lasts."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while self._next():
            while not self._ask(connection):
                connection.close()
                with self._lock:
                    self.asked_again += 1
                time.sleep(0.05)
        connection.close()

    def _next(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def _ask(self, connection: http.client.HTTPConnection) -> bool:
        try:
            connection.request("POST", "/invocations", self._body, JPEG)
            reply = connection.getresponse()
        except (ConnectionError, http.client.BadStatusLine):
            return False
        answer = json.loads(reply.read())
        if reply.status == 503:
            return False
        if reply.status != 200 or "predictions" not in answer:
            raise RuntimeError(f"Expected predictions, got {reply.status} {answer}.")
        with self._lock:
            self.answered += 1
        return True


def photo() -> bytes:
    """A JPEG that takes a few milliseconds to read."""
    file = io.BytesIO()
    Image.effect_noise((500, 375), 60).convert("RGB").save(file, "JPEG")
    return file.getvalue()


@contextmanager
def server(options: Options, port: int, log: Path) -> Iterator[subprocess.Popen[str]]:
    """A server that has answered a photo; killed at the end of the block if it still runs."""
    given = [f"model={options.model}", f"port={port}", f"backend={options.backend}"]
    command = [sys.executable, "-m", "dogbreed.serve", *given]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            wait_until_ready(process, log)
            yield process
        finally:
            process.kill()


def wait_until_ready(process: subprocess.Popen[str], log: Path) -> None:
    """Read what it says until it is ready."""
    for line in process.stdout or ():
        if line.startswith(READY):
            return
    raise RuntimeError(f"The server did not start: {log.read_text()}")


def stopped(process: subprocess.Popen[str]) -> int:
    """Its exit status after SIGTERM."""
    process.send_signal(signal.SIGTERM)
    return process.wait(60)


def measure(options: Options) -> Outcome:
    """Ask, stop and start the server in the middle, ask on."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        logs = [Path(folder) / name for name in ("first", "second")]
        asking = Asking(port, options.requests)
        clients = [threading.Thread(target=asking.ask_all) for _ in range(options.clients)]
        with server(options, port, logs[0]) as first:
            for client in clients:
                client.start()
            while asking.answered < options.requests // 2:
                time.sleep(0.001)
            start = time.perf_counter()
            status = stopped(first)
        with server(options, port, logs[1]) as second:
            without = time.perf_counter() - start
            for client in clients:
                client.join()
            statuses = (status, stopped(second))
        return _outcome(asking, [line for log in logs for line in requests_of(log)], without, statuses)


def requests_of(log: Path) -> list[dict[str, Any]]:
    """What a server says of the requests for photos that it saw."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line.get("route") == "/invocations"]


def _outcome(asking: Asking, seen: list[dict[str, Any]], without: float, statuses: tuple[int, int]) -> Outcome:
    accepted = [line["status"] for line in seen if line["status"] != 503]
    unanswered = sum(status != 200 for status in accepted)
    lost = max(unanswered, len(accepted) - asking.answered)
    return Outcome(asking.answered, len(accepted), lost, asking.asked_again, round(without, 2), statuses)


if __name__ == "__main__":
    print(json.dumps(asdict(measure(only_options(Options, sys.argv[1:])))))
