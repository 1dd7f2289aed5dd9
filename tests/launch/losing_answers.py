"""A server between client and service that hands on what is asked and, of some answers, only closes the connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def losing_answers(port: int, operation: str, times: int) -> Iterator[str]:
    """The address of one before the server at `port` of this machine.

    Args:
        port: of the service.
        operation: whose answers get lost.
        times: how many.
    """
    left = [times]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            service = HTTPConnection("127.0.0.1", port)
            service.request("POST", self.path, self.rfile.read(int(self.headers["Content-Length"])), dict(self.headers))
            answer = service.getresponse()
            content = answer.read()
            service.close()
            if self.headers["X-Amz-Target"] == f"SageMaker.{operation}" and left[0]:
                left[0] -= 1
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
