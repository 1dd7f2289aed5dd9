from __future__ import annotations

import pytest

from dogbreed.predictor import BreedPredictor
from tests.serving.server.server_in_test import HeldNetwork, small_predictor


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> BreedPredictor:
    return small_predictor(tmp_path_factory.mktemp("artifact"))


@pytest.fixture
def network(predictor: BreedPredictor, monkeypatch: pytest.MonkeyPatch) -> HeldNetwork:
    held = HeldNetwork(predictor)
    monkeypatch.setattr(predictor, "network_logits", held)
    return held
