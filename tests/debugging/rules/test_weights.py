from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dogbreed.debugging.rules.weights import poor_weight_initialization, weight_update_ratio
from dogbreed.debugging.series import Series
from tests.debugging.rules.recordings import Recording, ask, recordings, told


@pytest.mark.parametrize(
    ("ratio", "threshold"),
    [(9.9, None), (10.0, None), (10.1, 10.0), (1.1e-8, None), (1e-8, None), (0.9e-8, 1e-8), (np.inf, 10.0)],
)
def test_a_weight_changes_too_much_or_too_little_beyond_the_thresholds(ratio: float, threshold: float | None) -> None:
    found = weight_update_ratio({"w": Series([1], [ratio])})
    assert (found.status == "IssuesFound", found.threshold) == (threshold is not None, threshold)


def test_the_ratio_is_the_norm_of_the_change_by_the_norm_before() -> None:
    before, after = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    found = ask("WeightUpdateRatio", recordings("w", "weights", [before, after]), large_threshold=0.1)
    assert told(found) == ("IssuesFound", 1, "w")
    assert found.value == pytest.approx(float((after - before).norm() / before.norm()), rel=1e-5)
    assert found.threshold == 0.1
    found = ask("WeightUpdateRatio", recordings("w", "weights", [before, after]), epsilon=1e9, small_threshold=1e-3)
    assert found.value == pytest.approx(float((after - before).norm()) / 1e9, rel=1e-5)


def test_one_recording_has_no_ratio() -> None:
    assert ask("WeightUpdateRatio", recordings("w", "weights", [[1.0]])).status == "NotApplicable"
    assert ask("WeightUpdateRatio", []).status == "NotApplicable"


def test_weights_that_begin_at_zero_are_judged_from_their_second_change_on() -> None:
    assert ask("WeightUpdateRatio", recordings("w", "weights", [[0.0], [1e-3]])).status == "NotApplicable"
    assert ask("WeightUpdateRatio", recordings("w", "weights", [[0.0], [1e-3], [2e-3]])).status == "NoIssuesFound"
    assert ask("WeightUpdateRatio", recordings("w", "weights", [[0.0], [1e-3], [2.0]])).step == 2


def test_a_weight_that_does_not_move_is_frozen_beside_one_that_does_and_judged_once_it_moves() -> None:
    trained = recordings("head", "weights", [[1.0], [1.1], [1.2], [1.3]])
    frozen = recordings("stem", "weights", [[1.0]] * 4)
    later = recordings("stage", "weights", [[1.0], [1.0], [1.0], [1.1]])
    found = ask("WeightUpdateRatio", [*trained, *frozen, *later])
    assert found.status == "NoIssuesFound"
    assert found.reason.endswith("; 1 never do, and are taken as frozen.")
    stopped = recordings("stage", "weights", [[1.0], [1.1], [1.1], [1.2]])
    assert told(ask("WeightUpdateRatio", [*trained, *frozen, *stopped])) == ("IssuesFound", 2, "stage")
    assert ask("WeightUpdateRatio", frozen).step == 1


def test_the_last_fifth_of_a_long_run_may_change_next_to_nothing() -> None:
    steps = list(range(20))
    assert weight_update_ratio({"w": Series(steps, [1e-3] * 16 + [0.0] * 4)}).status == "NoIssuesFound"
    assert weight_update_ratio({"w": Series(steps, [1e-3] * 15 + [0.0] * 5)}).step == 15
    assert weight_update_ratio({"w": Series(steps, [1e-3] * 19 + [20.0])}).step == 19


@pytest.mark.parametrize(
    ("change", "status"), [(0.9e-6, "NoIssuesFound"), (1e-6, "NoIssuesFound"), (1.1e-6, "IssuesFound")]
)
def test_frozen_statistics_may_move_by_the_tolerance(change: float, status: str) -> None:
    given = recordings("bn.running_mean", "frozen_statistics", [np.zeros(2), np.array([0.0, -change])])
    assert ask("FrozenDrift", given).status == status


def frozen_layer_in(train: bool) -> list[Recording]:
    layer = nn.BatchNorm2d(4).requires_grad_(False)
    layer.train(train)
    found: list[Recording] = []
    for step in range(3):
        for name in ("running_mean", "running_var"):
            found += [(f"bn.{name}", "frozen_statistics", "TRAIN", step, getattr(layer, name).clone())]
        layer(torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(step)) + 1)
    return found


def test_a_frozen_batch_norm_drifts_in_train_mode_and_not_in_eval_mode() -> None:
    found = ask("FrozenDrift", frozen_layer_in(train=True))
    assert told(found) == ("IssuesFound", 1, "bn.running_mean")
    assert found.value == pytest.approx(0.1, abs=0.03)  # of its momentum, towards a mean of 1
    assert found.threshold == 1e-6
    assert ask("FrozenDrift", frozen_layer_in(train=False)).status == "NoIssuesFound"
    assert ask("FrozenDrift", frozen_layer_in(train=True)[:2]).status == "NotApplicable"


def test_statistics_that_become_no_numbers_have_moved() -> None:
    given = recordings("bn.running_var", "frozen_statistics", [[1.0], [np.nan]])
    assert ask("FrozenDrift", given).status == "IssuesFound"


RISING, FALLING = [2.0] * 5 + [2.1] * 5, [2.0] * 5 + [1.9] * 5


def beginnings(
    losses: list[float], variances: tuple[float, float] = (1, 1), width: float = 1.0, step: int = 0
) -> list[Recording]:
    """Two layers' inputs of so much variance, a gradient so wide, and losses."""
    inputs = [
        (f"{n}/relu_input", "relu_input", "TRAIN", step, np.sqrt(v) * np.array([-1.0, 1.0]))
        for n, v in enumerate(variances)
    ]
    gradient = ("gradient/w", "gradients", "TRAIN", step, np.linspace(0, width, 101) / 0.9)
    return [*inputs, gradient, *recordings("loss", "losses", losses)]  # type: ignore[list-item]


@pytest.mark.parametrize(("variance", "status"), [(9.9, "NoIssuesFound"), (10.1, "IssuesFound")])
def test_first_weights_are_poor_where_layers_variances_differ_by_more_than_a_factor(
    variance: float, status: str
) -> None:
    found = ask("PoorWeightInitialization", beginnings(RISING, (1.0, variance)))
    assert found.status == status
    if status == "IssuesFound":
        assert told(found) == ("IssuesFound", 0, "1/relu_input")
        assert (found.value, found.threshold) == (pytest.approx(10.1), 10.0)


@pytest.mark.parametrize(("width", "status"), [(0.0011, "NoIssuesFound"), (0.0009, "IssuesFound")])
def test_first_weights_are_poor_where_a_gradient_is_narrow(width: float, status: str) -> None:
    found = ask("PoorWeightInitialization", beginnings(RISING, width=width))
    assert found.status == status
    if status == "IssuesFound":
        assert told(found) == ("IssuesFound", 0, "gradient/w")
        assert (found.value, found.threshold) == (pytest.approx(width), 0.001)


def test_thresholds_of_first_weights_are_not_reached_by_their_own_value() -> None:
    even = {"a": Series([0], [1.0]), "b": Series([0], [10.0])}
    losses = Series(list(range(10)), [1.0] * 10)
    assert poor_weight_initialization(even, {}, losses).status == "NoIssuesFound"
    assert poor_weight_initialization({}, {"g": Series([0], [0.001])}, losses).status == "NoIssuesFound"
    assert poor_weight_initialization({}, {"g": Series([0], [0.0009])}, losses).status == "IssuesFound"


def test_first_weights_of_a_network_that_learns_are_not_poor() -> None:
    found = ask("PoorWeightInitialization", beginnings(FALLING, (1.0, 1000.0), 1e-6))
    assert found.status == "NoIssuesFound"
    assert found.reason.startswith("The loss fell from 2 to 1.9; what the published rule fires at (")


def test_only_the_first_steps_are_looked_at_and_ten_losses_are_needed() -> None:
    assert ask("PoorWeightInitialization", beginnings(RISING, (1.0, 1000.0), step=9)).status == "IssuesFound"
    assert ask("PoorWeightInitialization", beginnings(RISING, (1.0, 1000.0), step=10)).status == "NoIssuesFound"
    assert ask("PoorWeightInitialization", beginnings(RISING[:9], (1.0, 1000.0))).status == "NotApplicable"
    assert ask("PoorWeightInitialization", recordings("loss", "losses", RISING)).status == "NotApplicable"


def test_an_input_recorded_as_its_variance_is_taken_as_such() -> None:
    given = [
        ("0/relu_input", "relu_input", "TRAIN", 0, 1.0),
        ("1/relu_input", "relu_input", "TRAIN", 0, 40.0),
        *recordings("loss", "losses", RISING),
    ]
    assert ask("PoorWeightInitialization", given).value == 40.0  # type: ignore[arg-type]


def test_layers_without_any_variance_do_not_differ() -> None:
    assert ask("PoorWeightInitialization", beginnings(RISING, (0.0, 0.0))).status == "NoIssuesFound"
    assert ask("PoorWeightInitialization", beginnings(RISING, (0.0, 1.0))).value == np.inf
