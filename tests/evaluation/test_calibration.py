from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from dogbreed.evaluation.calibration import COLDEST, HOTTEST, fit_temperature
from dogbreed.models.calibration_error import CalibrationError
from dogbreed.models.probabilities import probabilities


def drawn(scale: float, photos: int = 4000, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose probabilities are right when they are divided by `scale`."""
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (photos, classes))
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    targets = np.array([generator.choice(classes, p=row) for row in shares])
    return (logits * scale).astype(np.float32), targets


def error(logits: np.ndarray, targets: np.ndarray, temperature: float) -> float:
    metric = CalibrationError()
    metric.update(probabilities(torch.from_numpy(logits), temperature), torch.from_numpy(targets))
    return float(metric.compute())


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_made_a_model_too_sure_or_too_shy(scale: float) -> None:
    logits, targets = drawn(scale)
    assert fit_temperature(logits, targets) == pytest.approx(scale, rel=0.05)


def test_the_temperature_lowers_the_calibration_error_on_photos_that_it_was_not_fitted_on() -> None:
    logits, targets = drawn(3.0)
    temperature = fit_temperature(logits[:2000], targets[:2000])
    before, after = (error(logits[2000:], targets[2000:], t) for t in (1.0, temperature))
    assert after < before / 3


def test_no_other_temperature_has_a_lower_cross_entropy() -> None:
    logits, targets = drawn(2.0, photos=200)
    found = fit_temperature(logits, targets)

    def loss(temperature: float) -> float:
        return log_loss(
            targets, probabilities(torch.from_numpy(logits).double(), temperature).numpy(), labels=range(10)
        )

    assert all(loss(found) <= loss(found * factor) for factor in (0.8, 0.95, 1.05, 1.2))


def test_a_few_photos_that_are_all_answered_rightly_make_no_model_certain() -> None:
    logits = np.eye(4, dtype=np.float32) * 5
    temperature = fit_temperature(logits, np.arange(4))
    assert COLDEST < temperature < HOTTEST
    assert probabilities(torch.from_numpy(logits), temperature).max() < 0.95


def test_the_temperature_stays_within_its_bounds() -> None:
    logits = np.eye(4, dtype=np.float32) * 5
    assert fit_temperature(logits, (np.arange(4) + 1) % 4) == pytest.approx(HOTTEST, rel=0.1)
    assert fit_temperature(np.empty((0, 4), np.float32), np.empty(0, np.int64)) == 1.0
