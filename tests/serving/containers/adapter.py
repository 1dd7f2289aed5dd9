"""What stands before Ray Serve in SageMaker's container: /invocations and /ping, passed on to the application.

Written after the contract that AWS documents: the body, Content-Type, Accept and X-Amzn-SageMaker-* go to the root of
RAYSERVE_BACKEND_URL, the health check to /-/healthz below it; a server that cannot be reached is 503.
"""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PASSED = ("content-type", "accept")


class Adapter:
    """On a port of the loopback interface, within a `with` block."""

    def __init__(self, backend: str) -> None:
        at = urlsplit(backend)
        assert at.hostname

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, _, _ = self.asked("GET", "/-/healthz", b"", 5)
                self.answer(200 if status == 200 else 503, "text/plain", b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(*self.asked("POST", "/", body, 60))

            def asked(self, method: str, path: str, body: bytes, seconds: float) -> tuple[int, str, bytes]:
                passed = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() in PASSED or name.lower().startswith("x-amzn-sagemaker-")
                }
                connection = http.client.HTTPConnection(str(at.hostname), at.port, timeout=seconds)
                try:
                    connection.request(method, at.path + path, body, passed)
                    answer = connection.getresponse()
                    return answer.status, str(answer.headers["Content-Type"]), answer.read()
                except OSError:
                    return 503, "application/json", json.dumps({"error": "Service unavailable"}).encode()
                finally:
                    connection.close()

            def answer(self, status: int, media: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.port = int(self._server.server_port)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
