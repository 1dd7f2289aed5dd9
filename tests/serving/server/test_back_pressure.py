from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from PIL import Image

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.server.admission import Admission, BusyError
from dogbreed.serving.server.limits import Limits
from tests.serving.server.server_in_test import JPEG, HeldNetwork, Running, jpeg, request, running


def served(predictor: BreedPredictor, limits: Limits, check: Callable[[Running], Awaitable[None]], **more: Any) -> None:
    async def serve() -> None:
        async with running(predictor, limits, warm=False, **more) as server:
            await check(server)

    asyncio.run(serve())


def test_one_runs_one_waits_the_next_ten_are_refused_and_both_are_answered(
    predictor: BreedPredictor, network: HeldNetwork
) -> None:
    async def check(server: Running) -> None:
        first = asyncio.create_task(server.invoke(jpeg(1)))
        await network.begins()
        second = asyncio.create_task(server.invoke(jpeg(2)))
        await server.eventually("dogbreed_waiting_photos", 1)
        refused = await asyncio.gather(*(server.invoke(jpeg(3)) for _ in range(10)))
        assert [(reply.status, reply.headers["retry-after"]) for reply in refused] == [(503, "1")] * 10
        assert all("error" in reply.json() for reply in refused)
        assert (await server.ask("GET", "/ping")).status == 503  # no photo was answered yet, but it answers
        network.free.set()
        assert [(await one).status for one in (first, second)] == [200, 200]
        assert await server.counted('dogbreed_requests_total{route="/invocations",status="503"}') == 10
        assert await server.counted("dogbreed_in_flight") == 0

    served(predictor, Limits(requests=2), check)


def test_a_refused_request_is_answered_before_its_body_is_read(predictor: BreedPredictor, network: HeldNetwork) -> None:
    async def check(server: Running) -> None:
        first = asyncio.create_task(server.invoke(jpeg(1)))
        await network.begins()
        for path in ("/invocations", "/explain"):
            reply = await server.raw(request("POST", path, b"", {**JPEG, "content-length": "1000000"}))
            assert (reply.status, reply.headers["connection"]) == (503, "close")
        network.free.set()
        assert (await first).status == 200

    served(predictor, Limits(requests=1), check)


def test_200_clients_that_hang_up_leave_nothing_behind_and_nothing_is_computed_for_them(
    predictor: BreedPredictor, network: HeldNetwork
) -> None:
    async def hang_up(server: Running, number: int) -> None:
        _, writer = await server.connect()
        whole = request("POST", "/invocations", jpeg(number % 5), JPEG)
        # Some in the middle of their body, most while they wait for the answer.
        writer.write(whole[:-100] if number % 4 == 0 else whole)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()

    async def check(server: Running) -> None:
        first = asyncio.create_task(server.invoke(jpeg(1)))
        await network.begins()
        for start in range(0, 200, 20):
            await asyncio.gather(*(hang_up(server, start + number) for number in range(20)))
        await server.eventually("dogbreed_in_flight", 1)
        await server.eventually("dogbreed_held_bytes", len(jpeg(1)))
        network.free.set()
        assert (await first).status == 200
        assert (await server.invoke(jpeg(1))).status == 200
        await server.eventually("dogbreed_in_flight", 0)
        await server.eventually("dogbreed_held_bytes", 0)
        assert network.batches == [1, 1]

    served(predictor, Limits(requests=32), check)


def test_no_overlay_is_drawn_for_a_client_that_has_left(
    predictor: BreedPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, go_on = threading.Semaphore(0), threading.Event()

    def explain(*_: Any) -> Image.Image:
        drawn.release()
        assert go_on.wait(30)
        return Image.new("RGB", (1, 1))

    monkeypatch.setattr(predictor, "explain", explain)

    async def check(server: Running) -> None:
        readers = [await server.connect() for _ in range(3)]
        for _, writer in readers:
            writer.write(request("POST", "/explain", jpeg(1), JPEG))
            await writer.drain()
        await server.eventually("dogbreed_in_flight", 3)
        assert await asyncio.to_thread(drawn.acquire, timeout=20)
        for _, writer in readers:
            writer.transport.abort()
        await server.eventually("dogbreed_in_flight", 0)
        go_on.set()
        assert (await server.ask("POST", "/explain", jpeg(1), JPEG)).status == 200
        assert drawn.acquire(blocking=False)  # that one, and none of the others
        assert not drawn.acquire(blocking=False)

    served(predictor, Limits(workers=1), check)


def test_a_connection_too_many_is_refused_where_all_others_wait_for_their_answers(
    predictor: BreedPredictor, network: HeldNetwork
) -> None:
    async def check(server: Running) -> None:
        first = asyncio.create_task(server.invoke(jpeg(1)))
        await network.begins()
        reply = await server.invoke(jpeg(2))
        assert (reply.status, reply.headers["retry-after"], list(reply.json())) == (503, "1", ["error"])
        network.free.set()
        assert (await first).status == 200

    served(predictor, Limits(connections=1), check)


def test_bodies_are_held_up_to_a_number_of_bytes_all_together(predictor: BreedPredictor, network: HeldNetwork) -> None:
    photo = jpeg(1)

    async def check(server: Running) -> None:
        first = asyncio.create_task(server.invoke(photo))
        await network.begins()
        assert (await server.invoke(photo)).status == 503
        network.free.set()
        assert (await first).status == 200
        assert (await server.invoke(photo)).status == 200

    served(predictor, Limits(held=len(photo) + 10), check)


def test_a_place_is_given_back_whatever_happens_in_it() -> None:
    admission = Admission(1)
    with pytest.raises(KeyError), admission.place():
        raise KeyError
    with admission.place(), pytest.raises(BusyError), admission.place():
        pass
    assert admission.taken == 0
