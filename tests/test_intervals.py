from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from dogbreed.intervals import gain_interval, share_interval


@pytest.mark.parametrize("trials", [30, 100, 840])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.8, 0.95])
def test_the_interval_of_a_share_holds_the_true_share_about_95_times_in_a_hundred(share: float, trials: int) -> None:
    """The coverage is computed over all outcomes, not drawn: Wilson's lies near 95 % on average, not at each share."""
    outcomes = np.arange(trials + 1)
    held = [low <= share <= high for low, high in (share_interval(int(k), trials) for k in outcomes)]
    assert binom.pmf(outcomes, trials, share)[np.array(held)].sum() == pytest.approx(0.95, abs=0.05)


def test_over_many_true_shares_the_mean_coverage_is_that_promised() -> None:
    trials, outcomes = 60, np.arange(61)
    bounds = np.array([share_interval(int(k), trials) for k in outcomes])
    shares = np.linspace(0.01, 0.99, 197)
    coverage = [binom.pmf(outcomes, trials, s)[(bounds[:, 0] <= s) & (s <= bounds[:, 1])].sum() for s in shares]
    assert np.mean(coverage) == pytest.approx(0.95, abs=0.01)


def test_all_right_and_all_wrong_leave_room_for_doubt() -> None:
    assert share_interval(10, 10)[0] < 0.8
    assert share_interval(0, 10)[1] > 0.2
    assert share_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("gaining", "losing"), [(0.05, 0.03), (0.02, 0.02), (0.001, 0.004)])
def test_the_interval_of_a_gain_holds_the_true_gain_about_95_times_in_a_hundred(gaining: float, losing: float) -> None:
    generator, photos = np.random.default_rng(0), 840
    drawn = generator.multinomial(photos, [gaining, losing, 1 - gaining - losing], size=4000)
    held = 0
    for gained, lost, _ in drawn.tolist():
        value, low, high = gain_interval(gained, lost, photos)
        assert value == pytest.approx((gained - lost) / photos)
        held += low <= gaining - losing <= high
    assert held / len(drawn) == pytest.approx(0.95, abs=0.02)


def test_a_gain_of_nothing_on_nothing_says_nothing() -> None:
    assert gain_interval(0, 0, 0) == (0.0, -1.0, 1.0)
