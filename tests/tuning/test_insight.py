from __future__ import annotations

import pytest

from dogbreed.tuning.insight import insight

DEFAULT = {42: 0.80, 43: 0.82, 44: 0.81}


@pytest.mark.parametrize(
    ("metric", "direction", "best", "said"),
    [
        ("val/loss", "minimize", {42: 0.70, 43: 0.71, 44: 0.69}, "The best settings are better than the default"),
        ("val/loss", "minimize", {42: 0.79, 43: 0.80, 44: 0.80}, "within the spread"),
        ("val/loss", "minimize", {42: 0.82, 43: 0.82, 44: 0.81}, "within the spread"),
        ("val/loss", "minimize", {42: 0.79, 43: 1.80, 44: 0.40}, "within the spread"),
        ("val/loss", "minimize", {42: 0.90, 43: 0.91, 44: 0.92}, "Keep the default"),
        ("val/acc", "maximize", {42: 0.90, 43: 0.91, 44: 0.92}, "The best settings are better than the default"),
        ("val/acc", "maximize", {42: 0.70, 43: 0.71, 44: 0.69}, "Keep the default"),
        ("val/loss", "minimize", {42: 0.70}, "may be chance"),
        ("val/loss", "minimize", {}, "not compared"),
    ],
)
def test_the_winner_is_believed_only_beyond_what_a_seed_changes(
    metric: str, direction: str, best: dict[int, float], said: str
) -> None:
    assert said in insight(metric, direction, DEFAULT, best)


def test_the_sentence_has_both_means_and_the_spread() -> None:
    sentence = insight("val/loss", "minimize", DEFAULT, {42: 0.70, 43: 0.71, 44: 0.69})
    assert "val/loss 0.7000 in place of 0.8100, the mean of 3 seeds, while one setting spreads by 0.0200" in sentence
