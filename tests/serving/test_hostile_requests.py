from __future__ import annotations

import json
from pathlib import Path

import pytest

from dogbreed.predictor import BreedPredictor
from dogbreed.serving.error import RequestError
from dogbreed.serving.handler import input_fn, output_fn, predict_fn
from tests.serving.hostile import Request, hostile_requests, sound
from tests.trained_models import save_small


def answered(request: Request, predictor: BreedPredictor) -> bytes:
    images = input_fn(request.body, request.content_type)
    return output_fn(predict_fn(images, predictor), request.accept)[0]


def test_whatever_a_request_holds_it_is_answered_or_refused_in_a_sentence(tmp_path: Path) -> None:
    save_small(tmp_path / "model")
    predictor = BreedPredictor.load(tmp_path / "model")
    good = Request("good", "image/png", "application/json", sound("PNG"))
    before, refusals = answered(good, predictor), 0
    for request in hostile_requests(400):
        try:
            body = answered(request, predictor)
        except RequestError as error:
            refusals += 1
            assert 400 <= error.status < 500, request.kind
            assert len(str(error).splitlines()) == 1, request.kind
            json.dumps({"error": str(error)}, ensure_ascii=False).encode()
        else:
            assert body, request.kind
            assert not request.accept.startswith("application/json") or json.loads(body, parse_constant=pytest.fail)
    assert 200 < refusals < 400
    assert answered(good, predictor) == before


def test_a_number_and_a_seed_say_what_is_sent() -> None:
    first = list(hostile_requests(20, seed=3))
    assert first == list(hostile_requests(30, seed=3))[:20]
    assert first != list(hostile_requests(20, seed=4))
