from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.server.draining import DrainingServer
from dogbreed.serving.server.limits import Limits
from tests.serving.server.server_in_test import (
    JPEG,
    HeldNetwork,
    Running,
    jpeg,
    read_reply,
    request,
    running,
)
from tests.trained_models import save_small

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from restart_while_serving import Options, measure

Stop = Callable[[Running], None]


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    """SIGTERM to the server of a test."""
    servers: list[DrainingServer] = []
    begin = DrainingServer.__init__

    def noted(self: DrainingServer, *arguments: object) -> None:
        begin(self, *arguments)  # type: ignore[arg-type]
        servers.append(self)

    monkeypatch.setattr(DrainingServer, "__init__", noted)
    return lambda _: servers[-1].handle_exit(signal.SIGTERM, None)


async def refused(port: int) -> bool:
    for _ in range(200):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)):
                return True
        await asyncio.sleep(0.02)
    return False


def test_what_was_accepted_is_answered_and_nothing_more_is_taken(
    predictor: BreedPredictor, network: HeldNetwork, stop: Stop
) -> None:
    async def check() -> None:
        async with running(predictor, warm=False) as server:
            idle_reader, idle_writer = await server.connect()
            idle_writer.write(request("GET", "/ping", b"", {}))
            await read_reply(idle_reader)
            accepted = [asyncio.create_task(server.invoke(jpeg(seed))) for seed in range(4)]
            await network.begins()
            await server.eventually("dogbreed_in_flight", 4)
            stop(server)
            # A client that has a connection may have sent its next request before it knew.
            idle_writer.write(request("GET", "/ping", b"", {}))
            last = await read_reply(idle_reader)
            assert (last.status, last.headers["connection"]) == (503, "close")
            assert await refused(server.port)
            network.free.set()
            replies = await asyncio.gather(*accepted)
        assert [(reply.status, reply.headers["connection"]) for reply in replies] == [(200, "close")] * 4

    asyncio.run(check())


def test_a_client_that_never_ends_its_request_does_not_keep_the_server(predictor: BreedPredictor, stop: Stop) -> None:
    async def check() -> None:
        async with running(predictor, Limits(grace_seconds=1), warm=False) as server:
            _, writer = await server.connect()
            writer.write(request("POST", "/invocations", jpeg(1), JPEG)[:-10])
            await asyncio.sleep(0.1)
            stop(server)
            assert await refused(server.port)

    # By itself it would wait for 25 seconds.
    asyncio.run(asyncio.wait_for(check(), 10))


def test_what_was_accepted_and_could_not_be_answered_in_time_is_counted(
    predictor: BreedPredictor, network: HeldNetwork, stop: Stop
) -> None:
    async def check() -> None:
        async with running(predictor, Limits(grace_seconds=1), warm=False) as server:
            _, half = await server.connect()
            half.write(request("POST", "/invocations", jpeg(1), JPEG)[:-10])
            _, whole = await server.connect()
            whole.write(request("POST", "/invocations", jpeg(1), JPEG))
            await network.begins()
            stop(server)
            await asyncio.wait_for(server.serving, 10)
            network.free.set()
            assert server.server.cut_off == 1

    asyncio.run(check())


def test_a_restart_under_load_loses_none_that_were_accepted_and_both_servers_end_with_0(tmp_path: Path) -> None:
    save_small(tmp_path / "model")
    outcome = measure(Options(model=str(tmp_path / "model"), requests=80, clients=4, backend="float32"))
    assert (outcome.answered, outcome.accepted, outcome.lost, outcome.statuses) == (80, 80, 0, (0, 0))
