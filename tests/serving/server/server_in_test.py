"""The real server on a free port of the loopback, in the event loop of a test, and clients, some of them bad."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import socket
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h11
import torch
from torch import Tensor

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.server.app import Service
from dogbreed.serving.server.draining import DrainingServer
from dogbreed.serving.server.health import warm_up
from dogbreed.serving.server.hosts import allowed_hosts
from dogbreed.serving.server.limits import Limits
from dogbreed.serving.server.listening import bound_socket
from dogbreed.serving.server.running import server_of
from dogbreed.serving.settings import Settings
from tests.data.photo_folders import noise
from tests.trained_models import save_small

JPEG = {"content-type": "image/jpeg"}


def small_predictor(folder: Path) -> BreedPredictor:
    save_small(folder / "model", calibration={"temperature": 2.5})
    return BreedPredictor.load(folder / "model")


def jpeg(seed: int, side: int = 48) -> bytes:
    file = io.BytesIO()
    noise(side, side, seed=seed).save(file, "JPEG")
    return file.getvalue()


class HeldNetwork:
    """The network of a predictor, which answers when it is let."""

    def __init__(self, predictor: BreedPredictor) -> None:
        self._logits = predictor.network_logits
        self.asked, self.free = threading.Semaphore(0), threading.Event()
        self.batches: list[int] = []

    def __call__(self, images: Tensor) -> Tensor:
        self.batches.append(len(images))
        self.asked.release()
        assert self.free.wait(30)
        return self._logits(images)

    async def begins(self) -> None:
        """Wait until it is computing."""
        assert await asyncio.to_thread(self.asked.acquire, timeout=20)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Running:
    """A server and its door."""

    service: Service
    port: int
    server: DrainingServer
    serving: asyncio.Task[None]
    _opened: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that is closed at the end, if not before."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._opened.append(writer)
        return reader, writer

    def hang_up(self) -> None:
        for writer in self._opened:
            writer.close()

    async def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        return await self.raw(request(method, path, body, headers or {}))

    async def invoke(self, body: bytes, headers: Mapping[str, str] = JPEG) -> Reply:
        return await self.ask("POST", "/invocations", body, headers)

    async def raw(self, sent: bytes) -> Reply:
        """What comes for these bytes, on a connection of their own."""
        reader, writer = await self.connect()
        try:
            writer.write(sent)
            return await asyncio.wait_for(read_reply(reader), 30)
        finally:
            writer.close()

    async def counted(self, name: str) -> float:
        """A figure of /metrics, by its name and labels; 0 where it is not there."""
        lines = (await self.ask("GET", "/metrics")).body.decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " "))

    async def eventually(self, name: str, value: float) -> None:
        for _ in range(400):
            if await self.counted(name) == value:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{name} is {await self.counted(name)}, not {value}")


def request(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    all_headers = {"host": "localhost", "content-length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items() if value != "")
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """One whole answer.

    Raises:
        ConnectionError: the connection ended before.
    """
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers={"host": "x"}.items()))
    client.send(h11.EndOfMessage())
    reply: Reply | None = None
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(65536)
            if not data:
                raise ConnectionError("The connection ended without an answer.")
            client.receive_data(data)
        elif isinstance(event, h11.Response):
            reply = Reply(event.status_code, {k.decode(): v.decode() for k, v in event.headers}, b"")
        elif isinstance(event, h11.Data) and reply:
            reply.body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage) and reply:
            return reply


@asynccontextmanager
async def running(
    predictor: BreedPredictor, limits: Limits | None = None, *, warm: bool = True, **settings: Any
) -> AsyncIterator[Running]:
    """A server that is stopped, as by SIGTERM, at the end of the block: all that it accepted has to be answered."""
    hosts = allowed_hosts("127.0.0.1", "127.0.0.1")
    service = Service(predictor, Settings(**settings), limits or Limits(), hosts=hosts, threads=torch.get_num_threads())
    server = server_of(service)
    with bound_socket("127.0.0.1", 0) as listener:
        # Those of its connections: a client that does not read is soon noticed.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**14)
        port = listener.getsockname()[1]
        serving = asyncio.create_task(server.serve([listener]))
        if warm:
            await warm_up(service.answering, service.health)
        while not server.started:
            await asyncio.sleep(0.01)
        door = Running(service, port, server, serving)
        try:
            yield door
        finally:
            door.hang_up()
            server.handle_exit(signal.SIGTERM, None)
            await asyncio.wait_for(serving, 40)
            service.close()
