"""Damaged and hostile requests against a running server: is it still there, and are its other clients served?

    PYTHONPATH=. python benchmarks/hostile_requests.py model=DIR requests=10000
    PYTHONPATH=. python benchmarks/hostile_requests.py url=http://127.0.0.1:8080 pid=1234

Four clients send `tests.serving.hostile`'s requests, two ask about a sound photo throughout, which must always have the
same answer, one asks `/ping`. Then come `raw_attacks`, below HTTP, while those go on.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
from raw_attacks import ATTACKS, hang_up, statuses

from dogbreed.options import only_options
from tests.serving.hostile import Request, hostile_requests, sound

CLIENTS, NEIGHBOURS, LEAVING = 4, 2, 200
MIB = 2**20


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    url: str = ""
    pid: int = 0
    model: str = ""
    backend: str = "auto"
    requests: int = field(default=10_000, metadata={"least": 1})
    seed: int = 0


@dataclass
class Heard:
    """Statuses by what was asked, seconds that answers took, and what was not as it should be."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    largest_change: float = 0.0

    def add(self, asked: str, status: int | None, seconds: float, what: str = "") -> None:
        """Of one answer; None where there was none."""
        self.statuses[f"{asked} {status}"] += 1
        self.seconds.setdefault(f"{asked} {'refused' if status and status >= 400 else 'answered'}", []).append(seconds)
        if status is None or status >= 500:
            self.faults.append(f"{asked} {what}: {status}")

    def compare(self, expected: dict[str, Any], ask: Callable[[], bytes]) -> None:
        """That the same photo has the same breeds, with probabilities that other photos of its batch hardly change."""
        found = json.loads(ask())
        if found.get("model_version") != expected["model_version"]:
            self.faults.append(f"a sound photo has {found}")
            return
        pairs = list(zip(_probabilities(expected), _probabilities(found), strict=True))
        self.largest_change = max(self.largest_change, *(abs(one - other) for (_, one), (_, other) in pairs))
        if [one for (one, _), _ in pairs] != [other for _, (other, _) in pairs]:
            self.faults.append("a sound photo has other breeds")


def _probabilities(answer: dict[str, Any]) -> list[tuple[str, float]]:
    return [(breed["label"], breed["probability"]) for breed in answer["predictions"][0]]


class Client:
    """One that asks on and on over one connection, as long as that lasts."""

    def __init__(self, address: tuple[str, int], heard: Heard) -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=60)
        self._heard = heard

    def ask(self, asked: str, request: Request) -> bytes:
        """The body of the answer."""
        headers = {name: text for name, text in _headers(request).items() if text}
        start = time.perf_counter()
        status, body = self._exchange("POST", "/invocations", request.body, headers)
        self._heard.add(asked, status, time.perf_counter() - start, request.kind)
        return body

    def ping(self) -> None:
        """Ask whether it is well."""
        start = time.perf_counter()
        status, _ = self._exchange("GET", "/ping", b"", {})
        self._heard.add("ping", status, time.perf_counter() - start)

    def _exchange(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, bytes]:
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return None, repr(error).encode()


def _headers(request: Request) -> dict[str, str]:
    # What a header cannot hold would be refused by our own client.
    found = {"Content-Type": request.content_type, "Accept": request.accept}
    return {
        name: "".join(c for c in text if c.isprintable()).encode().decode("latin-1") for name, text in found.items()
    }


def until(over: threading.Event, ask: Callable[[], object]) -> None:
    """Ask, and after a moment again."""
    while not over.wait(0.02):
        ask()


def sound_request(seed: int) -> Request:
    """A photo that is answered."""
    kind = ("JPEG", "PNG")[seed % 2]
    return Request("sound", f"image/{kind.lower()}", "application/json", sound(kind))


@contextmanager
def neighbours(address: tuple[str, int], heard: Heard) -> Iterator[None]:
    """Clients that ask about sound photos, and about the server's health, while the block lasts."""
    over = threading.Event()
    *clients, pinging = [Client(address, heard) for _ in range(NEIGHBOURS + 1)]
    asking = [partial(client.ask, "sound", sound_request(seed)) for seed, client in enumerate(clients)]
    checks = [partial(heard.compare, json.loads(ask()), ask) for ask in asking]
    threads = [threading.Thread(target=until, args=(over, ask)) for ask in (*checks, pinging.ping)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def send(address: tuple[str, int], heard: Heard, requests: Sequence[Request]) -> None:
    """Send the requests, in their order, one after the other."""
    client = Client(address, heard)
    for request in requests:
        client.ask("hostile", request)


def attack(address: tuple[str, int], heard: Heard) -> None:
    """Attack below HTTP, some attacks at once."""

    def one(name: str) -> None:
        found = statuses(ATTACKS[name](), address)
        heard.statuses.update([f"attack {status}" for status in found] or ["attack closed"])
        heard.faults.extend(f"attack {name}: {status}" for status in found if status >= 500)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, ATTACKS))
    hang_up(address, LEAVING)


@contextmanager
def server(options: Options) -> Iterator[tuple[str, int]]:
    """The URL and the process of the server that is asked; started here if none is named."""
    if options.url:
        yield options.url, options.pid
        return
    given = [f"model={options.model}", "port=0", f"backend={options.backend}"]
    command = [sys.executable, "-m", "dogbreed.serve", *given]
    with (
        Path("/dev/null").open("w") as nowhere,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=nowhere, text=True) as process,
    ):
        try:
            yield _url(process), process.pid
        finally:
            process.terminate()


def _url(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        if line.startswith("ready"):
            return line.split()[1]
    raise RuntimeError("Expected the server to start.")


def measure(options: Options) -> dict[str, object]:
    """What came of it all."""
    heard, requests = Heard(), list(hostile_requests(options.requests, options.seed))
    with server(options) as (url, pid):
        address = (urlsplit(url).hostname or "", urlsplit(url).port or 80)
        process = psutil.Process(pid) if pid else None
        with neighbours(address, heard):
            # Threads and their memory are there after some requests.
            send(address, heard, requests[:300])
            before = process.memory_info().rss if process else 0
            parts = [requests[300 + number :: CLIENTS] for number in range(CLIENTS)]
            with ThreadPoolExecutor(CLIENTS) as pool:
                list(pool.map(lambda part: send(address, heard, part), parts))
            between = process.memory_info().rss if process else 0
            attack(address, heard)
        after = process.memory_info().rss if process else 0
        alive = process.is_running() if process else None
    return {
        "statuses": dict(sorted(heard.statuses.items())),
        "milliseconds": {name: _spread(found) for name, found in heard.seconds.items()},
        "memory_mib": [round(found / MIB) for found in (before, between, after)],
        "alive": alive,
        "largest_change": heard.largest_change,
        "faults": Counter(heard.faults).most_common(20),
    }


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    found = np.array(seconds) * 1000
    return {
        name: round(float(np.quantile(found, share)), 1) for name, share in {"p50": 0.5, "p99": 0.99, "max": 1}.items()
    }


if __name__ == "__main__":
    print(json.dumps(measure(only_options(Options, sys.argv[1:])), indent=1))
