"""An S3 on the loopback that fails as it is told to, and counts what it is asked for."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUSY = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


def s3_client(port: int) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        config=Config(retries={"mode": "standard", "total_max_attempts": 5}, s3={"addressing_style": "path"}),
    )


class ScriptedS3(ThreadingHTTPServer):
    """Objects by `bucket/key`; `faults[method]` are what goes wrong with the next requests, one each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.hides_checksums = False
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.next_content = b""
        self.asked: Counter[str] = Counter()
        self.ranges: list[str | None] = []
        self.lock = Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is expected."""


class Handler(BaseHTTPRequestHandler):
    server: ScriptedS3
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    @property
    def name(self) -> str:
        return unquote(urlsplit(self.path).path)[1:]

    def fault(self) -> str:
        with self.server.lock:
            self.server.asked[self.command] += 1
            waiting = self.server.faults[self.command]
            return waiting.pop(0) if waiting else ""

    def do_HEAD(self) -> None:
        if fault := self.fault():
            self.answer(int(fault), b"", {})
            return
        content = self.server.objects.get(self.name)
        if content is None:
            self.answer(404, b"", {})
            return
        self.answer(200, content, self.about(content, whole=True))

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self.list(query.get("prefix", [""])[0])
            return
        self.server.ranges.append(self.headers["Range"])
        fault, content = self.fault(), self.server.objects[self.name]
        if fault == "503":
            self.answer(503, BUSY.encode(), {})
            return
        if self.headers["If-Match"] != etag(content):
            self.answer(412, b"<Error><Code>PreconditionFailed</Code></Error>", {})
            return
        found = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        first = int(found[1]) if found and fault != "200 for 206" else 0
        body, headers = content[first:], self.about(content, whole=not first)
        if first:
            begins = first + (7 if fault == "wrong range" else 0)
            headers["Content-Range"] = f"bytes {begins}-{len(content) - 1}/{len(content)}"
        if fault == "flipped byte":
            body = body[:5] + bytes([body[5] ^ 1]) + body[6:]
        if fault == "replaced":
            self.server.objects[self.name] = self.server.next_content
        broken = fault in ("reset", "short", "replaced")
        self.answer(206 if first else 200, body, headers, half=broken)
        if fault == "reset":
            self.reset()

    def do_PUT(self) -> None:
        fault = self.fault()
        if fault == "reset":
            self.reset()
            return
        content = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if fault == "503":
            self.answer(503, BUSY.encode(), {})
            return
        expected = self.headers["x-amz-checksum-sha256"]
        if expected is not None and expected != checksum(content):
            self.answer(400, b"<Error><Code>BadDigest</Code><Message>checksum</Message></Error>", {})
            return
        self.server.objects[self.name] = content
        if fault == "lost answer":
            self.reset()
            return
        self.answer(200, b"", {"ETag": etag(content)})

    def list(self, prefix: str) -> None:
        bucket = self.name.strip("/")
        found = {name.removeprefix(f"{bucket}/"): content for name, content in sorted(self.server.objects.items())}
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size><ETag>{escape(etag(content))}</ETag>"
            "<LastModified>2026-11-28T00:00:00Z</LastModified></Contents>"
            for key, content in found.items()
            if key.startswith(prefix)
        )
        self.answer(200, f"<ListBucketResult>{rows}<IsTruncated>false</IsTruncated></ListBucketResult>".encode(), {})

    def about(self, content: bytes, *, whole: bool) -> dict[str, str]:
        shown = whole and not self.server.hides_checksums
        return {"ETag": etag(content)} | ({"x-amz-checksum-sha256": checksum(content)} if shown else {})

    def answer(self, status: int, body: bytes, headers: dict[str, str], *, half: bool = False) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if half else body)
        self.close_connection = half or self.close_connection

    def reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def checksum(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@contextmanager
def scripted_s3() -> Iterator[ScriptedS3]:
    server = ScriptedS3()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def moto_s3() -> Iterator[int]:
    """The port of an S3 that keeps what it is given, and is otherwise close to AWS's."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield server.get_host_and_port()[1]
    finally:
        server.stop()
