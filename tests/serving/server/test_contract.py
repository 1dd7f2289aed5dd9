from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from dogbreed.predictor import BreedPredictor
from tests.serving.server.server_in_test import JPEG, Running, jpeg, running
from tests.trained_models import CLASS_NAMES


def served(predictor: BreedPredictor, check: Callable[[Running], Awaitable[None]], **options: Any) -> None:
    async def serve() -> None:
        async with running(predictor, **options) as server:
            await check(server)

    asyncio.run(serve())


def expected(predictor: BreedPredictor, photo: bytes) -> list[tuple[str, float]]:
    return [(one.name, pytest.approx(one.probability, abs=1e-5)) for one in predictor.predict(photo)]


def test_a_photo_has_the_predictors_answer_however_it_is_sent(predictor: BreedPredictor) -> None:
    photo = jpeg(1)
    text = base64.b64encode(photo).decode()
    array = io.BytesIO()
    np.save(array, predictor.prepared([_opened(photo)]).numpy())
    requests = [
        ("image/jpeg", photo),
        ("application/x-image", photo),
        ("application/json; charset=utf-8", json.dumps({"instances": [{"data": text}]}).encode()),
        ("application/x-npy", array.getvalue()),
    ]

    async def check(server: Running) -> None:
        for media, body in requests:
            reply = await server.invoke(body, {"content-type": media, "X-Amzn-SageMaker-Custom-Attributes": "x"})
            assert (reply.status, reply.headers["content-type"]) == (200, "application/json"), reply.body
            found = reply.json()
            assert [(one["label"], one["probability"]) for one in found["predictions"][0]] == expected(predictor, photo)
            assert found["model_version"] == predictor.artifact.card["digest"][:12]

    served(predictor, check)


def _opened(photo: bytes) -> Any:
    from dogbreed.data.photos import open_photo

    return open_photo(photo)


def test_an_answer_comes_in_the_media_type_that_is_accepted(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        rows = await server.invoke(jpeg(1), {**JPEG, "accept": "text/csv"})
        assert rows.body.decode().splitlines()[0] == "photo,rank,label,index,probability"
        logits = await server.invoke(jpeg(1), {**JPEG, "accept": "application/x-npy"})
        assert np.load(io.BytesIO(logits.body), allow_pickle=False).shape == (1, len(CLASS_NAMES))
        computed = await server.counted("dogbreed_batch_photos_count")
        assert (await server.invoke(jpeg(1), {**JPEG, "accept": "text/html"})).status == 406
        assert await server.counted("dogbreed_batch_photos_count") == computed

    served(predictor, check)


def test_the_server_is_healthy_from_the_first_answered_photo_until_it_stops(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        health = server.service.health
        for warm, stopping, status in ((False, False, 503), (True, False, 200), (True, True, 503)):
            health.warm, health.stopping = warm, stopping
            assert (await server.ask("GET", "/ping")).status == status

    served(predictor, check, warm=False)


def test_a_refusal_is_a_sentence_in_json(predictor: BreedPredictor) -> None:
    refusals: list[tuple[str, str, bytes, dict[str, str], int]] = [
        ("GET", "/nowhere", b"", {}, 404),
        ("GET", "/invocations", b"", {}, 405),
        ("POST", "/invocations", b"", {}, 415),
        ("POST", "/invocations", b"%PDF", {"content-type": "application/pdf"}, 415),
        ("POST", "/invocations", b"no photo", JPEG, 400),
        ("POST", "/invocations", b"", JPEG, 400),
        ("POST", "/invocations", b"[" * 50_000, {"content-type": "application/json"}, 400),
        ("GET", "/ping", b"", {"host": "dogs.evil.example"}, 421),
        ("GET", "/ping", b"", {"transfer-encoding": "gzip", "content-length": ""}, 400),
        ("GET", "/ping", b"", {"content-length": "-1"}, 400),
        ("GET", "/ping", b"", {"content-length": "9" * 5000}, 400),
        ("GET", "/ping", b"", {"host": ""}, 400),
        ("GET", "/%ff%00", b"", {}, 404),
    ]

    async def check(server: Running) -> None:
        for method, path, body, headers, status in refusals:
            reply = await server.ask(method, path, body, headers)
            assert reply.status == status, (path, headers, reply)
            assert list(reply.json()) == ["error"]
            assert "Traceback" not in reply.body.decode()

    served(predictor, check)


def test_a_fault_of_the_program_is_answered_without_its_traceback_and_logged_with_it(
    predictor: BreedPredictor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(images: Any) -> Any:
        raise RuntimeError("the network is broken")

    async def check(server: Running) -> None:
        server.service.answering.batcher._forward = broken
        reply = await server.invoke(jpeg(1))
        assert (reply.status, list(reply.json())) == (500, ["error"])
        assert "broken" not in reply.body.decode()

    served(predictor, check)
    assert "the network is broken" in caplog.text


def test_every_answer_tells_browsers_to_keep_to_themselves(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        for path in ("/", "/ping", "/nowhere", "/invocations"):
            headers = (await server.ask("GET", path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "no-" in headers["cache-control"]
            assert not [name for name in headers if name.startswith("access-control") or name == "server"]

    served(predictor, check)


def test_the_page_and_its_overlay_are_served(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        page = await server.ask("GET", "/")
        assert (page.status, page.headers["content-type"].split(";")[0]) == (200, "text/html")
        assert (await server.ask("POST", "/explain", jpeg(1), JPEG)).body.startswith(b"\x89PNG")
        assert (await server.ask("POST", "/explain", b"no photo", JPEG)).status == 400
        assert (await server.ask("POST", "/explain?index=99", jpeg(1), JPEG)).status == 400

    served(predictor, check)


def test_the_figures_count_requests_photos_and_batches_and_no_word_of_a_client(predictor: BreedPredictor) -> None:
    async def check(server: Running) -> None:
        await server.invoke(jpeg(1))
        await server.invoke(b"no photo")
        for number in range(20):
            await server.ask("GET", f"/wp-admin/{number}", headers={"user-agent": f"agent{number}"})
        assert await server.counted('dogbreed_requests_total{route="/invocations",status="200"}') == 1
        assert await server.counted('dogbreed_requests_total{route="/invocations",status="400"}') == 1
        assert await server.counted('dogbreed_requests_total{route="other",status="404"}') == 20
        assert await server.counted("dogbreed_photos_total") == 1
        assert await server.counted("dogbreed_batch_photos_count") == 2  # and the one of the warm-up
        assert await server.counted("dogbreed_in_flight") == 0
        figures = await server.ask("GET", "/metrics")
        assert figures.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert b"wp-admin" not in figures.body
        assert b"agent" not in figures.body

    served(predictor, check)


def test_the_log_says_when_where_and_how_long_and_nothing_that_a_client_said(
    predictor: BreedPredictor, caplog: pytest.LogCaptureFixture
) -> None:
    from dogbreed.serving.server.request_log import LOGGER, JsonLines

    caplog.set_level("INFO", LOGGER.name)
    secret, photo = "a secret", jpeg(1)

    async def check(server: Running) -> None:
        await server.invoke(photo, {"content-type": "image/jpeg; name=secret", "x-secret": secret, "cookie": secret})
        await server.ask("GET", "/secret?secret=secret", headers={"content-type": "secret"})

    served(predictor, check)
    lines = [JsonLines().format(record) for record in caplog.records]
    answered, lost = (json.loads(line) for line in lines)
    assert {key: answered[key] for key in ("event", "route", "status", "bytes", "media", "photos")} == {
        "event": "request",
        "route": "/invocations",
        "status": 200,
        "bytes": len(photo),
        "media": "image/jpeg",
        "photos": 1,
    }
    assert (lost["route"], lost["status"], lost["media"]) == ("other", 404, "other")
    assert answered["milliseconds"] > 0
    assert "secret" not in "".join(lines)
