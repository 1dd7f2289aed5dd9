"""An endpoint on this machine, as `sagemaker-runtime` speaks: moto's takes only texts, and photos are none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def breeds(label: str = "Beagle", index: int = 1, probability: float = 0.75) -> dict[str, Any]:
    """An answer of the model, as the project's endpoints give it."""
    other = {"label": "Akita", "index": 0, "probability": 1 - probability}
    return {"predictions": [[{"label": label, "index": index, "probability": probability}, other]]}


@dataclass
class Answering:
    """What the endpoint is to say, request by request, and what it was asked.

    Attributes:
        answers: status, headers and body of each answer to come; the last one is given again and again.
        asked: path, headers by lower-case name and body of each request.
    """

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def says(self, body: Any, status: int = 200, **headers: str) -> None:
        """Add an answer; what is not bytes is written as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, content))

    def model_error(self, status: int, said: str) -> None:
        """Add what SageMaker answers where the container has failed."""
        body = {"OriginalStatusCode": status, "OriginalMessage": said, "Message": "Received error from primary"}
        self.says(body, 424, x_amzn_errortype="ModelError")

    def next_answer(self) -> tuple[int, dict[str, str], bytes]:
        """The answer to the request that has come."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def answering() -> Iterator[Answering]:
    """The endpoint, on a port of the loopback interface."""
    played = Answering()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            played.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, headers, content = played.next_answer()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    played.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield played
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
