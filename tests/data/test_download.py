from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dogbreed.data.download import download
from dogbreed.data.lock import locked
from dogbreed.errors import DownloadError

BODY = random.Random(7).randbytes(200_000)
OTHER_BODY = random.Random(8).randbytes(200_000)
Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Gives the answers of `script` one after the other, then the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[Answer] = [answer()]
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/dogs.zip"

    def handle_error(self, *_: Any) -> None:
        """A client that goes away is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers["Range"])
        script = self.server.script
        (script.pop(0) if len(script) > 1 else script[0])(self)

    def log_message(self, *_: Any) -> None:
        pass


def answer(
    body: bytes = BODY,
    *,
    etag: str | None = '"1"',
    ranges: bool = True,
    if_range: bool = True,
    stop_after: int | None = None,
    content_range: str | None = None,
) -> Answer:
    """A server's answer with `body`; it breaks off after `stop_after` bytes."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers["Range"] if ranges else None
        if if_range and handler.headers["If-Range"] != etag:
            asked = None
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if asked and start >= len(body):
            return handler.send_error(416)
        handler.send_response(206 if asked else 200)
        if asked and content_range != "":
            handler.send_header("Content-Range", content_range or f"bytes {start}-{len(body) - 1}/{len(body)}")
        if etag:
            handler.send_header("ETag", etag)
        handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        handler.wfile.write(body[start:] if stop_after is None else body[start : start + stop_after])
        return None

    return respond


def status(code: int, **headers: str) -> Answer:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()

    return respond


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(server: Server, path: Path, **options: Any) -> Path:
    return download(server.url, path, **{"size": len(BODY), "wait": lambda _: None} | options)


def child(code: str, *arguments: object, wrapper: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    command = [*wrapper, sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


DOWNLOAD = """
import sys
from pathlib import Path
from dogbreed.data.download import download
from dogbreed.errors import DownloadError
try:
    download(sys.argv[1], Path(sys.argv[2]), size=int(sys.argv[3]), attempts=1)
except DownloadError as error:
    sys.exit(str(error))
"""


def test_a_file_comes_whole_and_nothing_else_stays(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "dogs.zip"
    assert fetch(server, path, sha256=sha256(BODY).hexdigest().upper()) == path
    assert path.read_bytes() == BODY
    assert list(path.parent.iterdir()) == [path]


def test_neither_size_nor_checksum_need_be_known(server: Server, tmp_path: Path) -> None:
    server.script = [answer(stop_after=1000), answer()]
    assert fetch(server, tmp_path / "dogs.zip", size=None).read_bytes() == BODY


def test_a_file_that_is_there_needs_no_request(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "dogs.zip"
    path.write_bytes(BODY)
    fetch(server, path, sha256=sha256(BODY).hexdigest())
    fetch(server, path, size=None)
    assert server.ranges == []


@pytest.mark.parametrize("options", [{"size": 3}, {"sha256": "0" * 64}])
def test_another_file_in_its_place_is_named_and_kept(server: Server, tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "dogs.zip"
    path.write_bytes(BODY)
    with pytest.raises(DownloadError, match=f"Remove {path} and run again"):
        fetch(server, path, **options)
    assert path.read_bytes() == BODY
    assert server.ranges == []


def test_a_folder_in_its_place_is_an_error(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="no file"):
        fetch(server, tmp_path)


def test_a_connection_that_breaks_off_again_and_again_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.script = [answer(stop_after=30_000)] * 6 + [answer()]
    assert fetch(server, tmp_path / "dogs.zip", attempts=2).read_bytes() == BODY
    assert server.ranges == [None, *(f"bytes={n}-" for n in range(30_000, 180_001, 30_000))]


def test_a_reset_connection_is_tried_again(server: Server, tmp_path: Path) -> None:
    def reset(handler: BaseHTTPRequestHandler) -> None:
        answer(stop_after=50_000)(handler)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    server.script = [reset, reset, answer()]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(server: Server, tmp_path: Path) -> None:
    server.script = [answer(stop_after=70_000), answer()]
    with pytest.raises(DownloadError, match="70000 of 200000 bytes"):
        fetch(server, tmp_path / "dogs.zip", attempts=1)
    assert (tmp_path / "dogs.zip.partial").read_bytes() == BODY[:70_000]
    assert not (tmp_path / "dogs.zip").exists()
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert server.ranges == [None, "bytes=70000-"]


def test_a_later_process_goes_on_where_a_killed_one_was(server: Server, tmp_path: Path) -> None:
    release = threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        answer(stop_after=100_000)(handler)
        handler.wfile.flush()
        release.wait(60)

    server.script = [stall, answer()]
    partial = tmp_path / "dogs.zip.partial"
    process = child(DOWNLOAD, server.url, tmp_path / "dogs.zip", len(BODY))
    while not (partial.exists() and partial.stat().st_size) and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    release.set()
    came = partial.stat().st_size
    assert 0 < came <= 100_000
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert server.ranges == [None, f"bytes={came}-"]
    assert list(tmp_path.iterdir()) == [tmp_path / "dogs.zip"]


def test_a_process_killed_before_the_rename_leaves_nothing_to_ask_for(server: Server, tmp_path: Path) -> None:
    server.script = [answer(stop_after=70_000)]
    with pytest.raises(DownloadError):
        fetch(server, tmp_path / "dogs.zip", attempts=1)
    (tmp_path / "dogs.zip.partial").write_bytes(BODY)
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert len(server.ranges) == 1


def test_a_server_without_ranges_is_asked_for_the_whole(server: Server, tmp_path: Path) -> None:
    server.script = [answer(ranges=False, stop_after=70_000), answer(ranges=False)]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY


@pytest.mark.parametrize("if_range", [True, False])
def test_an_object_replaced_in_between_is_fetched_anew(server: Server, tmp_path: Path, if_range: bool) -> None:
    replaced = answer(OTHER_BODY, etag='"2"', if_range=if_range)
    server.script = [answer(stop_after=70_000), replaced]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == OTHER_BODY


def test_the_date_tells_whether_an_object_was_replaced(server: Server, tmp_path: Path) -> None:
    def dated(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Last-Modified", "Tue, 01 Jan 2019 00:00:00 GMT")
        handler.send_header("Content-Length", str(len(BODY)))
        handler.end_headers()
        handler.wfile.write(BODY[:70_000])

    server.script = [dated, answer(etag="Tue, 01 Jan 2019 00:00:00 GMT")]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert server.ranges == [None, "bytes=70000-"]


@pytest.mark.parametrize("etag", [None, 'W/"1"'])
def test_what_cannot_be_told_apart_is_fetched_anew(server: Server, tmp_path: Path, etag: str | None) -> None:
    server.script = [answer(etag=etag, stop_after=70_000), answer(etag=etag)]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert server.ranges == [None, None]


@pytest.mark.parametrize(
    "content_range",
    [
        "",
        "bytes",
        "bytes 0-199999/200000",
        "bytes 69999-199999/200000",
        "bytes 70000-199999/*",
        "bytes 70000-199999/300000",
        "bytes 70000-1/200000",
        "bytes 70000-150000/200000",
        "bytes 70000-200000/200000",
        "bytes 70000-" + "9" * 5000 + "/200000",
    ],
)
def test_a_wrong_range_is_never_appended(server: Server, tmp_path: Path, content_range: str) -> None:
    server.script = [answer(stop_after=70_000), answer(OTHER_BODY, content_range=content_range), answer()]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert server.ranges == [None, "bytes=70000-", None]


def test_a_range_from_another_place_is_never_appended(server: Server, tmp_path: Path) -> None:
    def earlier(handler: BaseHTTPRequestHandler) -> None:
        status(206, **{"Content-Range": "bytes 60000-199999/200000", "Content-Length": "140000"})(handler)
        handler.wfile.write(BODY[60_000:])

    server.script = [answer(stop_after=70_000), earlier, answer()]
    assert fetch(server, tmp_path / "dogs.zip", size=None).read_bytes() == BODY
    assert server.ranges == [None, "bytes=70000-", None]


def test_a_range_that_nobody_asked_for_is_never_taken(server: Server, tmp_path: Path) -> None:
    server.script = [status(206, **{"Content-Range": "bytes 0-9/200000"}), answer()]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY


def test_a_range_that_the_server_does_not_have_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    server.script = [answer(stop_after=70_000), status(416), answer()]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert server.ranges == [None, "bytes=70000-", None]


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"{}", b"\xff", b'{"url": "https://localhost/", "validator": "1"}'])
def test_bytes_of_unknown_origin_are_never_gone_on_with(server: Server, tmp_path: Path, note: bytes) -> None:
    (tmp_path / "dogs.zip.partial").write_bytes(OTHER_BODY[:70_000])
    (tmp_path / "dogs.zip.partial.json").write_bytes(note)
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert server.ranges == [None]


def test_a_body_that_is_always_short_is_given_up(server: Server, tmp_path: Path) -> None:
    server.script = [answer(BODY[:-1])]
    with pytest.raises(DownloadError, match=r"a file of 200000 bytes from http.*data\.root=FOLDER.*dogbreed\.train"):
        fetch(server, tmp_path / "dogs.zip")
    assert not (tmp_path / "dogs.zip").exists()
    assert len(server.ranges) <= 6


def test_a_busy_server_is_asked_again_after_longer_and_longer_waits(server: Server, tmp_path: Path) -> None:
    server.script = [status(503)] * 3 + [answer()]
    waits: list[float] = []
    assert fetch(server, tmp_path / "dogs.zip", wait=waits.append).read_bytes() == BODY
    assert waits == [2, 4, 8]


def test_a_server_that_stays_busy_is_given_up(server: Server, tmp_path: Path) -> None:
    server.script = [status(503)]
    with pytest.raises(DownloadError, match="503"):
        fetch(server, tmp_path / "dogs.zip", attempts=3)
    assert len(server.ranges) == 3


def test_a_missing_object_is_final(server: Server, tmp_path: Path) -> None:
    server.script = [status(404)]
    with pytest.raises(DownloadError, match=f"404.*put it at {tmp_path / 'dogs.zip'}"):
        fetch(server, tmp_path / "dogs.zip")
    assert len(server.ranges) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_within_http_is_followed(server: Server, tmp_path: Path) -> None:
    server.script = [status(302, Location="/elsewhere"), answer()]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://localhost/dogs.zip", "data:,dogs"])
def test_a_redirect_never_leaves_http(server: Server, tmp_path: Path, location: str) -> None:
    server.script = [status(302, Location=location)]
    with pytest.raises(DownloadError, match="302"):
        fetch(server, tmp_path / "dogs.zip", size=None)
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_never_leads_from_https_to_http(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate}".split()
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*request, *name], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.script = [answer(), status(302, Location=server.url)]
    secure = server.url.replace("http:", "https:")
    path = tmp_path / "dogs.zip"
    assert download(secure, path).read_bytes() == BODY
    with pytest.raises(DownloadError, match=r"302.*not followed"):
        download(secure, tmp_path / "other.zip")


def test_a_damaged_body_of_the_right_size_is_refused_and_not_gone_on_with(server: Server, tmp_path: Path) -> None:
    server.script = [answer(OTHER_BODY), answer()]
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch(server, tmp_path / "dogs.zip", sha256=sha256(BODY).hexdigest())
    assert list(tmp_path.iterdir()) == []
    assert fetch(server, tmp_path / "dogs.zip", sha256=sha256(BODY).hexdigest()).read_bytes() == BODY


def test_a_body_that_is_announced_as_longer_is_not_read(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="one of 200000 bytes"):
        fetch(server, tmp_path / "dogs.zip", size=199_999)
    assert list(tmp_path.iterdir()) == []


def test_a_body_without_end_is_stopped(server: Server, tmp_path: Path) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(BODY)

    server.script = [endless]
    with pytest.raises(DownloadError, match="longer"):
        fetch(server, tmp_path / "dogs.zip")
    assert list(tmp_path.iterdir()) == []


def test_no_server_at_all_is_one_line_with_the_ways_out(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/dogs.zip"
        with pytest.raises(DownloadError) as caught:
            download(url, tmp_path / "dogs.zip", wait=lambda _: None)
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in (url, "refused", str(tmp_path / "dogs.zip"), "data.root=FOLDER"))


def test_an_answer_that_is_no_http_is_an_error(server: Server, tmp_path: Path) -> None:
    server.script = [lambda handler: handler.wfile.write(b"220 mail.localhost\r\n\r\n") and None]
    with pytest.raises(DownloadError, match="no answer"):
        fetch(server, tmp_path / "dogs.zip")


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://localhost/", "dogs.zip", "", "http://[", "http://a b/", "http://", "http://x:y/"],
)
def test_a_url_that_cannot_be_used_is_an_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match=r"URL|no answer"):
        download(url, tmp_path / "dogs.zip", wait=lambda _: None)
    assert list(tmp_path.iterdir()) == []


FULL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))" + DOWNLOAD


def test_a_file_larger_than_the_machine_allows_is_an_error_and_what_came_is_kept(
    server: Server, tmp_path: Path
) -> None:
    _, error = child(FULL_DISK, server.url, tmp_path / "dogs.zip", len(BODY)).communicate()
    assert "File too large" in error
    assert "make room" in error
    assert error.count("\n") == 1
    assert (tmp_path / "dogs.zip.partial").read_bytes() == BODY[:100_000]
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert server.ranges == [None, "bytes=100000-"]


def test_a_full_disk_is_an_error(server: Server, tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=100k none "$0" && exec "$@"'
    wrapper = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(tmp_path))
    if shutil.which("unshare") is None or subprocess.run([*wrapper, "true"], capture_output=True).returncode:
        pytest.skip("no file system of one's own to fill")
    _, error = child(DOWNLOAD, server.url, tmp_path / "dogs.zip", len(BODY), wrapper=wrapper).communicate()
    assert "No space left on device" in error
    assert error.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_an_error(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="Expected to write"):
        fetch(server, tmp_path / "file" / "dogs.zip")


def test_several_processes_at_once_fetch_it_once(server: Server, tmp_path: Path) -> None:
    server.script = [answer(stop_after=70_000), answer()]
    several = DOWNLOAD.replace("attempts=1", "wait=lambda _: None")
    processes = [child(several, server.url, tmp_path / "dogs.zip", len(BODY)) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [("", 0)] * 3
    assert server.ranges == [None, "bytes=70000-"]
    assert list(tmp_path.iterdir()) == [tmp_path / "dogs.zip"]


def test_only_one_at_a_time_holds_a_lock(tmp_path: Path) -> None:
    holders: set[int] = set()
    most = []

    def hold(number: int) -> None:
        for _ in range(50):
            with locked(tmp_path / "dogs.zip"):
                holders.add(number)
                time.sleep(0.0001)  # gives the others their chance to come in
                most.append(len(holders))
                holders.remove(number)

    threads = [threading.Thread(target=hold, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 300
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_was_killed_holds_nobody_up(server: Server, tmp_path: Path) -> None:
    hold = """
import sys, time
from pathlib import Path
from dogbreed.data.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
    process = child(hold, tmp_path / "dogs.zip")
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
    assert list(tmp_path.iterdir()) == [tmp_path / "dogs.zip"]


def test_a_system_without_locks_downloads_all_the_same(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dogbreed.data.lock._CAN_LOCK", False)
    assert fetch(server, tmp_path / "dogs.zip").read_bytes() == BODY
