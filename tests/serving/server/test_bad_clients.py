from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.server import lingering
from dogbreed.serving.server.limits import Limits
from tests.serving.server.server_in_test import JPEG, Running, jpeg, read_reply, request, running


def served(predictor: BreedPredictor, check: Callable[[Running], Awaitable[None]], **options: Any) -> None:
    async def serve() -> None:
        async with running(predictor, **options) as server:
            await check(server)
            assert (await server.invoke(jpeg(1))).status == 200
            await server.eventually("dogbreed_in_flight", 0)
            await server.eventually("dogbreed_held_bytes", 0)
            assert await server.counted('dogbreed_requests_total{route="/invocations",status="500"}') == 0

    asyncio.run(serve())


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the server closes the connection, without a word, before long."""
    try:
        return await asyncio.wait_for(reader.read(), 20) == b""
    except ConnectionError:
        return True


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


CHUNKED = {**JPEG, "transfer-encoding": "chunked", "content-length": ""}


def test_a_body_that_is_too_large_is_refused_by_its_length_or_when_it_has_become_so(predictor: BreedPredictor) -> None:
    large = b"x" * 300_000

    async def check(server: Running) -> None:
        promised = request("POST", "/invocations", b"", {**JPEG, "content-length": str(10**12)})
        for sent in (
            promised,
            request("POST", "/invocations", large, JPEG),
            request("POST", "/invocations", b"", CHUNKED) + chunked(*[b"x" * 10_000] * 50),
            request("POST", "/nowhere", large, {}),
        ):
            reply = await server.raw(sent)
            assert (reply.status, reply.headers["connection"]) == (413, "close"), reply
            assert "100,000" in reply.json()["error"]

    served(predictor, check, max_bytes=100_000)


def test_a_client_reads_the_refusal_though_it_goes_on_sending(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        reader, writer = await server.connect()
        writer.write(request("POST", "/invocations", b"", {**JPEG, "content-length": str(8 * 2**20)}))
        for _ in range(32):
            writer.write(b"x" * 2**18)
            await writer.drain()
        assert (await read_reply(reader)).status == 413
        assert await ended(reader)

    served(predictor, check, max_bytes=10_000)


def test_a_body_in_chunks_is_read_but_not_one_in_a_great_many_tiny_ones(predictor: BreedPredictor) -> None:
    photo, start = jpeg(1), request("POST", "/invocations", b"", CHUNKED)

    async def check(server: Running) -> None:
        halves = photo[: len(photo) // 2], photo[len(photo) // 2 :]
        assert (await server.raw(start + chunked(*halves))).status == 200
        reply = await server.raw(start + b"1\r\nx\r\n" * 20_000)
        assert (reply.status, list(reply.json())) == (400, ["error"])
        assert (await server.raw(start + b"zz\r\n")).status == 400

    served(predictor, check)


def test_a_body_that_does_not_come_is_not_awaited_for_ever(predictor: BreedPredictor) -> None:
    photo = jpeg(1)

    async def check(server: Running) -> None:
        whole = request("POST", "/invocations", photo, JPEG)
        reply = await server.raw(whole[:-10])
        assert (reply.status, reply.headers["connection"]) == (408, "close")

    served(predictor, check, limits=Limits(body_seconds=0.3))


def test_a_body_that_ends_too_soon_is_forgotten(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        reader, writer = await server.connect()
        writer.write(request("POST", "/invocations", jpeg(1), JPEG)[:-10])
        writer.write_eof()
        assert await ended(reader)
        await server.eventually('dogbreed_requests_total{route="/invocations",status="499"}', 1)

    served(predictor, check)


def test_a_header_has_a_size_and_a_time(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        reply = await server.ask("GET", "/ping", headers={"x": "y" * 100_000})
        assert (reply.status, list(reply.json())) == (431, ["error"])
        assert (await server.raw(b"\x16\x03\x01\x02\x00\x01" * 50 + b"\r\n\r\n")).status == 400
        reader, writer = await server.connect()
        for byte in b"GET /ping HTTP/1.1\r\n" * 3:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
            if writer.transport.is_closing():
                break
        assert await ended(reader)
        await server.eventually('dogbreed_refused_connections_total{reason="slow header"}', 1)

    served(predictor, check, limits=Limits(header_seconds=0.3))


def test_the_second_header_of_a_connection_has_a_time_too(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        reader, writer = await server.connect()
        writer.write(request("GET", "/ping", b"", {}))
        assert (await read_reply(reader)).status == 200
        writer.write(b"GET /pi")
        assert await ended(reader)

    served(predictor, check, limits=Limits(header_seconds=0.3))


def test_a_client_that_does_not_read_its_answers_is_left(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        _, writer = await server.connect()
        writer.transport.pause_reading()
        writer.write(request("GET", "/page.css", b"", {}) * 2000)
        await server.eventually('dogbreed_refused_connections_total{reason="slow reader"}', 1)
        writer.transport.abort()

    served(predictor, check, limits=Limits(answer_seconds=0.3))


def test_a_client_that_asks_once_more_instead_of_reading_is_left_too(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.setblocking(False)
            for _ in range(200):
                with contextlib.suppress(ConnectionError, BlockingIOError):
                    client.send(request("GET", "/page.css", b"", {}))
                await asyncio.sleep(0.005)
            await server.eventually('dogbreed_refused_connections_total{reason="slow reader"}', 1)

    served(predictor, check, limits=Limits(answer_seconds=0.5))


def test_a_client_that_never_reads_its_last_answer_is_left(
    predictor: BreedPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering, "UNREAD_SECONDS", 0.3)

    async def check(server: Running) -> None:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            asked = [request("GET", "/page.css", b"", {})] * 9
            client.sendall(b"".join(asked) + request("GET", "/ping", b"", {"connection": "close"}))
            await server.eventually('dogbreed_requests_total{route="/ping",status="200"}', 1)
            for _ in range(400):
                if not server.server.server_state.connections:
                    return
                await asyncio.sleep(0.02)
            raise AssertionError("It has kept its place.")

    served(predictor, check)


def test_of_clients_that_come_at_once_each_takes_another_place(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(30)]
        await server.eventually('dogbreed_refused_connections_total{reason="connections"}', 21)
        open_ones = [one for one in server.server.server_state.connections if not one.transport.is_closing()]
        assert len(open_ones) <= 10
        for client in clients:
            client.close()

    served(predictor, check, limits=Limits(connections=10))


def test_clients_that_say_nothing_take_no_place_of_one_that_asks(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        for _ in range(30):
            await server.connect()
        started = [await server.connect() for _ in range(30)]
        for _, writer in started:
            writer.write(request("POST", "/invocations", jpeg(1), JPEG)[:-10])
        assert (await server.invoke(jpeg(1))).status == 200
        server.hang_up()

    served(predictor, check, limits=Limits(connections=10))


def test_requests_one_after_the_other_and_all_at_once_on_a_connection_are_answered_in_order(
    predictor: BreedPredictor,
) -> None:
    async def check(server: Running) -> None:
        reader, writer = await server.connect()
        writer.write(request("POST", "/invocations", jpeg(1), JPEG) + request("GET", "/ping", b"", {}))
        async with asyncio.timeout(20):
            first = await reader.readuntil(b"\r\n\r\n")
            length = int(first.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            assert b"predictions" in await reader.readexactly(length)
            assert (await read_reply(reader)).json() == {"ready": True}
        writer.close()

    served(predictor, check)


def test_the_server_answers_others_while_bad_clients_keep_it_busy(predictor: BreedPredictor) -> None:
    deep = request("POST", "/invocations", b"[" * 2_000_000, {"content-type": "application/json"})
    tiny = request("POST", "/invocations", b"", CHUNKED) + b"1\r\nx\r\n" * 100_000

    async def check(server: Running) -> None:
        async def attack(sent: bytes) -> None:
            with contextlib.suppress(ConnectionError):
                assert (await server.raw(sent)).status in (400, 503)

        bad = [asyncio.create_task(attack(sent)) for sent in (deep, tiny) * 10]
        slowest = 0.0
        while not all(one.done() for one in bad):
            start = time.perf_counter()
            assert (await server.ask("GET", "/ping")).status == 200
            slowest = max(slowest, time.perf_counter() - start)
        await asyncio.gather(*bad)
        assert slowest < 10  # generous: other tests share these cores

    served(predictor, check)
