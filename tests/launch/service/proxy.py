"""What stands before moto: answers some calls itself, changes the answers to some, hands on all others unchanged."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from tests.launch.service.service import Service

TARGET = "SageMaker."
INVOCATION = re.compile(r"^/endpoints/([^/]+)/invocations$")
# Of one connection, not of the message.
HOPS = {"connection", "transfer-encoding", "content-length", "keep-alive", "server", "date"}


class Proxy:
    def __init__(self, service: Service) -> None:
        handler = type("Handler", (_Handler,), {"service": service})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def start(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def _handle(self) -> None:
        body = self._body()
        target = self.headers.get("X-Amz-Target", "")
        invoked = INVOCATION.match(self.path)
        if invoked and "/sagemaker/" in self.headers.get("Authorization", ""):
            answer = self.service.invoke(invoked[1], body, self.headers)
            if answer.status_code != 200:
                return self._refuse(424, "ModelError", answer.text)
            return self._send(200, answer.headers, answer.content)
        if target.startswith(TARGET):
            return self._sagemaker(target.removeprefix(TARGET), body)
        return self._hand_on(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle  # noqa: N815

    def _sagemaker(self, operation: str, body: bytes) -> None:
        from tests.launch.service.service import RefusedError

        asked: dict[str, Any] = json.loads(body)
        try:
            own = self.service.answers.get(operation, lambda _: None)(asked)
        except RefusedError as refused:
            return self._refuse(400, refused.kind, str(refused))
        if own is not None:
            return self._json(own)
        found = self._ask_moto(body)
        if found.status_code == 200 and operation in self.service.merged:
            return self._json(self.service.merged[operation](asked, found.json()))
        return self._send(found.status_code, found.headers, found.content)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _ask_moto(self, body: bytes) -> requests.Response:
        headers = {name: text for name, text in self.headers.items() if name.lower() not in HOPS}
        return requests.request(
            self.command,
            self.service.moto + self.path,
            data=body,
            headers=headers,
            timeout=120,
            allow_redirects=False,
            stream=True,
        )

    def _hand_on(self, body: bytes) -> None:
        found = self._ask_moto(body)
        self._send(found.status_code, found.headers, found.raw.read(decode_content=False))

    def _json(self, value: dict[str, Any]) -> None:
        self._send(200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(value).encode())

    def _refuse(self, status: int, kind: str, message: str) -> None:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amzn-ErrorType": kind}
        self._send(status, headers, json.dumps({"__type": kind, "message": message, "Message": message}).encode())

    def _send(self, status: int, headers: Any, content: bytes) -> None:
        self.send_response(status)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        for name, text in headers.items():
            if name.lower() not in HOPS:
                self.send_header(name, text)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        pass
