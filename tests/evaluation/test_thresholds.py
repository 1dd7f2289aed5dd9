from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
import torch

from dogbreed.evaluation.thresholds import CANDIDATES, find_thresholds, reliable_from, unusual_from
from dogbreed.models.probabilities import energy, log_probabilities


def is_shown(right: int, photos: int) -> bool:
    """Whether nine in ten is shown: were it less, so many right answers would come in one case of 200 at most."""
    share = Fraction(9, 10)
    ways = (comb(photos, k) * share**k * (1 - share) ** (photos - k) for k in range(right, photos + 1))
    return photos > 0 and sum(ways) <= Fraction(5, 100) / len(CANDIDATES)


def logits_of(photos: int, seed: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, 4, photos)
    logits = generator.normal(size=(photos, 4)) + strength * np.eye(4)[targets]
    return logits.astype(np.float32), targets


@pytest.mark.parametrize("strength", [1.0, 2.5, 3.5, 9.0])
@pytest.mark.parametrize("photos", [40, 200])
def test_the_thresholds_are_those_of_counting(strength: float, photos: int) -> None:
    logits, targets = logits_of(photos, photos, strength)
    found = find_thresholds(logits, targets, 0.6)
    confidences, answers = log_probabilities(torch.tensor(logits), temperature=0.6).exp().max(1)
    right = answers.numpy() == targets
    kept = [confidences.numpy() >= candidate for candidate in CANDIDATES]
    shown = [c for c, some in zip(CANDIDATES, kept, strict=True) if is_shown(int(right[some].sum()), int(some.sum()))]
    assert found is not None
    assert found.unsure_below == (min(shown) if shown else None)
    energies = sorted(energy(torch.tensor(logits)).tolist())
    assert found.unfamiliar_above == pytest.approx(energies[-(photos // 20 if photos > 40 else 2)], abs=1e-5)


def test_what_was_promised_holds_on_other_photos() -> None:
    held = []
    for seed in range(40):
        logits, targets = logits_of(400, seed, 2.5)
        found = find_thresholds(logits, targets, 1.0)
        assert found is not None
        assert found.unsure_below is not None
        others, truth = logits_of(4000, 1000 + seed, 2.5)
        confidences, answers = log_probabilities(torch.tensor(others)).exp().max(1)
        held.append((answers.numpy() == truth)[confidences.numpy() >= found.unsure_below].mean() >= 0.9)
    assert np.mean(held) >= 0.95


def test_one_photo_in_twenty_of_the_same_kind_is_called_unfamiliar() -> None:
    generator = np.random.default_rng(0)
    rates = [np.mean(generator.normal(size=500) > unusual_from(generator.normal(size=n))) for n in [19, 50, 99] * 100]
    assert np.mean(rates) == pytest.approx(0.05, abs=0.01)


def test_too_few_photos_show_nothing() -> None:
    assert reliable_from(np.ones(50), np.ones(50, dtype=bool)) is None
    assert reliable_from(np.ones(51), np.ones(51, dtype=bool)) == 0.5
    assert unusual_from(np.arange(18.0)) is None
    assert unusual_from(np.arange(19.0)) == 18
    assert find_thresholds(np.zeros((0, 3), dtype=np.float32), np.zeros(0, dtype=np.int64), 1.0) is None


def test_a_model_that_is_mostly_wrong_is_never_sure() -> None:
    assert reliable_from(np.full(1000, 0.99), np.arange(1000) % 4 == 0) is None
    assert reliable_from(np.full(1000, 0.99), np.zeros(1000, dtype=bool)) is None
