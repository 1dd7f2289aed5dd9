"""The page behind the smallest server that has its contract: refusals as JSON, work on a thread."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.error import RequestError
from dogbreed.serving.handler import input_fn, output_fn, predict_fn
from dogbreed.serving.page.routes import page_routes
from dogbreed.serving.settings import Settings


class Server:
    """`busy` refusals come before the next answer, which waits to be `free`; `asked` are the addresses asked so far."""

    def __init__(self, predictor: BreedPredictor, settings: Settings | None = None) -> None:
        self.predictor, self.busy, self.asked = predictor, 0, list[str]()
        self.free = threading.Event()
        self.free.set()
        photos = Route("/invocations", self.invocations, methods=["POST"])
        self.app = Starlette(
            routes=[photos, *page_routes(predictor, settings or Settings(), self.run)],
            exception_handlers={RequestError: refused, Busy: lambda *_: JSONResponse({}, 503, {"Retry-After": "1"})},
        )

    async def run(self, request: Request, work: Callable[[bytes], Any]) -> Any:
        body = await request.body()
        if self.busy:
            self.busy -= 1
            raise Busy
        await anyio.to_thread.run_sync(self.free.wait, 30)
        return await anyio.to_thread.run_sync(work, body)

    async def invocations(self, request: Request) -> Response:
        headers = request.headers
        self.asked.append(request.url.path)
        work = partial(self.answered, media=headers["content-type"], accept=headers["accept"])
        content, media = await self.run(request, work)
        return Response(content, media_type=media)

    def answered(self, body: bytes, media: str, accept: str) -> tuple[bytes, str]:
        return output_fn(predict_fn(input_fn(body, media), self.predictor), accept)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def asked(address: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
    """What a server says to GET, or to POST where there is a body."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


class Busy(Exception):  # noqa: N818
    pass


async def refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, getattr(error, "status", 500))


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """The address of a server of it on the loopback."""
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="warning", lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        listening.close()
