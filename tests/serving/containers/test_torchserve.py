"""The functions that TorchServe's toolkit calls, called as it does."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dogbreed.errors import ArtifactError
from dogbreed.predictor import BreedPredictor
from dogbreed.serving import torchserve
from dogbreed.serving.error import RequestError
from dogbreed.serving.first_photo import drawn_photo
from tests.serving.containers.toolkit_context import Context
from tests.trained_models import save_small


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> BreedPredictor:
    folder = tmp_path_factory.mktemp("toolkit") / "model"
    save_small(folder)
    return torchserve.model_fn(str(folder))


def asked(predictor: BreedPredictor, body: bytes | None, media: str | None, accept: str = "*/*") -> tuple[int, Any]:
    context = Context()
    images = torchserve.input_fn(body, media, context)
    content, kind = torchserve.output_fn(torchserve.predict_fn(images, predictor, context), accept, context)
    assert kind == "application/json"
    return context.status, json.loads(content)


@pytest.mark.parametrize(
    ("body", "media", "accept", "status"),
    [
        (None, "image/jpeg", "*/*", 400),
        (b"<html>", "image/jpeg", "*/*", 400),
        (b"\xff{", "application/json", "*/*", 400),
        (drawn_photo(), None, "*/*", 415),
        (drawn_photo(), "image/jpeg", "text/html", 406),
    ],
)
def test_a_refusal_is_an_answer_because_the_toolkit_shows_tracebacks_of_exceptions(
    predictor: BreedPredictor, body: bytes | None, media: str | None, accept: str, status: int
) -> None:
    found, told = asked(predictor, body, media, accept)
    assert found == status
    assert list(told) == ["error"]


def test_a_fault_is_told_without_what_went_wrong_inside(
    predictor: BreedPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(predictor, "network_logits", broken)
    status, told = asked(predictor, drawn_photo(), "image/jpeg")
    assert status == 500
    assert "secret" not in told["error"]


def test_outside_of_torchserve_what_goes_wrong_is_raised(predictor: BreedPredictor) -> None:
    with pytest.raises(RequestError, match="not a photo"):
        torchserve.input_fn(b"<html>", "image/jpeg")


def test_json_reaches_us_as_it_came(predictor: BreedPredictor, monkeypatch: pytest.MonkeyPatch) -> None:
    toolkit = ModuleType("sagemaker_inference.content_types")
    toolkit.UTF8_TYPES = ["application/json", "text/csv"]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sagemaker_inference", ModuleType("sagemaker_inference"))
    monkeypatch.setitem(sys.modules, "sagemaker_inference.content_types", toolkit)
    with pytest.raises(ArtifactError):
        torchserve.model_fn("nowhere")
    assert toolkit.UTF8_TYPES == []


def test_a_server_whose_log_is_a_socket_is_ended_too() -> None:
    mine, its = socket.socketpair()
    with mine, its:
        command = [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)", torchserve.SERVER.decode()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=its) as process:
            try:
                # Before, its command line may not be there yet.
                assert process.stdout
                process.stdout.readline()
                torchserve._end_server(process.pid, "why")
                assert process.wait(20) == -signal.SIGTERM
            finally:
                process.kill()


def test_only_torchserve_is_ended_by_a_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    # The parent of this process is none.
    with pytest.raises(ArtifactError):
        torchserve.model_fn(str(tmp_path), Context())
