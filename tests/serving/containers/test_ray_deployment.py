"""A replica of Ray Serve, asked without Ray."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from torch import Tensor

from dogbreed.errors import ConfigError
from dogbreed.predictor import BreedPredictor
from dogbreed.serving import handler
from dogbreed.serving.first_photo import drawn_photo
from dogbreed.serving.ray_deployment import BUSY_CHECKS, Breeds, application
from dogbreed.serving.ray_replicas import Replicas, replicas
from dogbreed.serving.server.admission import BusyError
from dogbreed.serving.server.limits import Limits
from dogbreed.serving.settings import Settings
from tests.trained_models import save_small

SETTINGS, LIMITS = Settings(), Limits()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replica") / "model"
    save_small(folder)
    return folder


@pytest.fixture(autouse=True)
def plain_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is chosen by itself takes a second to be prepared."""
    monkeypatch.setattr(handler, "process_settings", lambda: Settings(backend="float32"))


def request(method: str, body: bytes = b"", media: str = "image/jpeg") -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", media.encode())]
    return Request({"type": "http", "method": method, "path": "/breeds/", "headers": headers}, receive)


@asynccontextmanager
async def replica(
    model: Path, settings: Settings = SETTINGS, limits: Limits = LIMITS
) -> AsyncIterator[tuple[Breeds, Callable[..., Awaitable[Response]]]]:
    breeds = Breeds(str(model), settings, limits, 1)
    yield breeds, lambda *asked: breeds(request(*asked))
    breeds._answering.close()


def told(response: Response) -> Any:
    return json.loads(bytes(response.body))


def test_a_replica_is_healthy_when_a_photo_has_been_answered_and_as_long_as_photos_are(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Tensor:
        raise RuntimeError("CUDA error: an illegal memory access")

    async def asked() -> None:
        async with replica(model) as (breeds, ask):
            assert (await ask("GET")).status_code == 503
            await breeds.check_health()
            assert (await ask("GET")).status_code == 200
            monkeypatch.setattr(breeds._answering.batcher, "_forward", broken)
            failed = await ask("POST", drawn_photo())
            assert failed.status_code == 500
            assert "CUDA" not in told(failed)["error"]
            with pytest.raises(RuntimeError, match="illegal memory access"):
                await breeds.check_health()
            assert (await ask("GET")).status_code == 503

    asyncio.run(asked())


def test_a_replica_that_answers_is_sound_again_and_one_whose_places_are_never_free_is_not(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked() -> None:
        async with replica(model) as (breeds, ask):
            breeds._sound = False  # as after a check that failed
            assert (await ask("POST", drawn_photo())).status_code == 200
            await breeds.check_health()
            assert (await ask("GET")).status_code == 200
            monkeypatch.setattr(breeds._answering.admission, "taken", LIMITS.requests)
            for _ in range(BUSY_CHECKS - 1):
                await breeds.check_health()
            assert (await ask("GET")).status_code == 200
            with pytest.raises(BusyError):
                await breeds.check_health()
            assert (await ask("GET")).status_code == 503

    asyncio.run(asked())


def test_a_replica_can_hold_a_body_of_the_size_that_is_allowed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bound: list[Any] = []
    application_of = SimpleNamespace(bind=lambda *given: bound.extend(given))
    ray_serve = SimpleNamespace(deployment=lambda **_: lambda _: application_of)
    monkeypatch.setitem(sys.modules, "ray.serve", ray_serve)
    application(model, {"DOGBREED_MAX_BYTES": str(300 * 2**20)})
    _, settings, limits, _ = bound
    assert limits.held >= settings.max_bytes == 300 * 2**20


def test_a_replica_answers_as_the_predictor_does(model: Path) -> None:
    async def asked() -> Response:
        async with replica(model, Settings(top_k=2)) as (_, ask):
            return await ask("POST", drawn_photo())

    (found,) = told(asyncio.run(asked()))["predictions"]
    expected = BreedPredictor.load(model).predict(drawn_photo(), top_k=2)
    assert [one["label"] for one in found] == [one.name for one in expected]
    assert [one["probability"] for one in found] == pytest.approx([one.probability for one in expected], abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "limits", "body", "status"),
    [
        (Settings(max_bytes=100), LIMITS, bytes(101), 413),
        (SETTINGS, Limits(held=100), bytes(101), 503),
        (SETTINGS, Limits(requests=0), drawn_photo(), 503),
        (SETTINGS, LIMITS, b"<html>", 400),
    ],
    ids=["too large", "all bodies too large", "no place", "no photo"],
)
def test_a_replica_refuses_with_a_reason(
    model: Path, settings: Settings, limits: Limits, body: bytes, status: int
) -> None:
    async def asked() -> Response:
        async with replica(model, settings, limits) as (_, ask):
            return await ask("POST", body)

    response = asyncio.run(asked())
    assert response.status_code == status
    assert list(told(response)) == ["error"]
    assert ("retry-after" in response.headers) == (status == 503)


def test_each_gpu_has_a_copy_of_the_model_and_several_copies_share_one() -> None:
    assert replicas({}, cpus=8, gpus=4) == Replicas(4, 2, 1, "INFO")
    assert replicas({"DOGBREED_REPLICAS": "1"}, cpus=8, gpus=4) == Replicas(1, 8, 4, "INFO")
    with pytest.raises(ConfigError, match="DOGBREED_REPLICAS to be a whole number from 1"):
        replicas({"DOGBREED_REPLICAS": "none"}, cpus=1, gpus=0)


def test_without_ray_the_line_that_installs_it_is_said(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.serve", None)
    with pytest.raises(ConfigError, match=r'pip install "ray\[serve\]"'):
        application(model, {"DOGBREED_REPLICAS": "1"})
