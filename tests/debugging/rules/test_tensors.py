from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from dogbreed.debugging.rules.tensors import all_zero, tensor_variance, unchanged_tensor, vanishing_gradient
from dogbreed.debugging.series import Series
from tests.debugging.rules.recordings import ask, recordings, told

GRADIENT = "gradient/Net_fc.weight"


@pytest.mark.parametrize(
    ("value", "status"), [(0.9e-7, "IssuesFound"), (1e-7, "NoIssuesFound"), (1.1e-7, "NoIssuesFound")]
)
def test_a_gradient_vanishes_below_the_threshold(value: float, status: str) -> None:
    assert vanishing_gradient({"g": Series([0], [value])}).status == status


def test_a_vanishing_gradient_is_told_with_its_first_step_and_name() -> None:
    layer = torch.nn.Linear(4, 3)
    layer(torch.randn(8, 4, generator=torch.Generator().manual_seed(0))).square().mean().backward()
    real = layer.weight.grad
    assert real is not None
    found = ask("VanishingGradient", recordings(GRADIENT, "gradients", [real, real * 1e-9, real * 1e-9]))
    assert told(found) == ("IssuesFound", 1, GRADIENT)
    assert found.value == pytest.approx(float(real.abs().mean()) * 1e-9, rel=1e-5)
    assert found.threshold == 1e-7
    assert ask("VanishingGradient", recordings(GRADIENT, "gradients", [real])).status == "NoIssuesFound"
    assert ask("VanishingGradient", recordings(GRADIENT, "gradients", [real]), threshold=1e3).step == 0
    assert ask("VanishingGradient", []).status == "NotApplicable"


def test_positive_and_negative_gradients_do_not_cancel() -> None:
    assert ask("VanishingGradient", recordings(GRADIENT, "gradients", [[-1.0, 1.0]])).status == "NoIssuesFound"


def test_a_gradient_that_is_no_number_does_not_vanish() -> None:
    assert ask("VanishingGradient", recordings(GRADIENT, "gradients", [[np.nan]])).status == "NotApplicable"


@pytest.mark.parametrize(
    ("value", "only_nan", "status"),
    [
        (np.nan, False, "IssuesFound"),
        (np.nan, True, "IssuesFound"),
        (np.inf, False, "IssuesFound"),
        (-np.inf, False, "IssuesFound"),
        (np.inf, True, "NoIssuesFound"),
        (3e38, False, "NoIssuesFound"),
    ],
)
def test_a_tensor_explodes_with_its_first_value_that_is_not_finite(value: float, only_nan: bool, status: str) -> None:
    given = recordings("x", "own", [np.ones(9, np.float32), np.array([1, value, value], np.float32)])
    found = ask("ExplodingTensor", given, only_nan=only_nan)
    assert found.status == status
    if status == "IssuesFound":
        assert (found.step, found.tensor, found.value) == (1, "x", 2.0)


def test_every_tensor_is_looked_at_for_explosions_unless_some_are_chosen() -> None:
    given = [*recordings("x", "own", [[np.nan]]), *recordings("labels", "labels", [[1, 2]], mode="EVAL")]
    assert ask("ExplodingTensor", given).tensor == "x"
    assert ask("ExplodingTensor", given, collection_names="labels").status == "NoIssuesFound"
    assert ask("ExplodingTensor", given, tensor_regex="labels").status == "NoIssuesFound"
    assert ask("ExplodingTensor", given, tensor_regex="weights").status == "NotApplicable"
    evaluated = recordings("predictions", "predictions", [[[np.inf]]], mode="EVAL")
    assert ask("ExplodingTensor", evaluated).tensor == "predictions (EVAL)"


@pytest.mark.parametrize("zeros", range(0, 101, 10))
def test_zeros_are_too_many_at_the_threshold_already(zeros: int) -> None:
    values = np.array([0.0] * zeros + [1.0] * (100 - zeros))
    found = ask("AllZero", recordings(GRADIENT, "gradients", [values]), threshold=zeros)
    assert (found.status, found.value) == ("IssuesFound", zeros)
    above = ask("AllZero", recordings(GRADIENT, "gradients", [values]), threshold=zeros + 0.5)
    assert (above.status, above.value) == ("NoIssuesFound", zeros)


def test_all_zero_looks_at_gradients_and_losses_unless_told_otherwise() -> None:
    zero, one = np.zeros((2, 3)), np.array([[0, 0, 0], [0, 0, 1e-30]])
    assert told(ask("AllZero", recordings(GRADIENT, "gradients", [one, zero]))) == ("IssuesFound", 1, GRADIENT)
    assert ask("AllZero", recordings(GRADIENT, "gradients", [one])).status == "NoIssuesFound"
    assert ask("AllZero", recordings("x", "biases", [zero])).status == "NotApplicable"
    assert ask("AllZero", recordings("x", "biases", [zero]), collection_names=["biases"]).status == "IssuesFound"
    assert all_zero({}).status == "NotApplicable"


@pytest.mark.parametrize(
    ("value", "bounds", "threshold"),
    [
        (2.0, {"max_threshold": 2.0}, None),
        (2.1, {"max_threshold": 2}, 2),
        (2.0, {"min_threshold": 2.0}, None),
        (1.9, {"min_threshold": 2}, 2),
        (1.9, {"max_threshold": 2, "min_threshold": 1}, None),
        (0.9, {"max_threshold": 2, "min_threshold": 1}, 1),
    ],
)
def test_a_variance_leaves_its_range_beyond_its_ends(
    value: float, bounds: dict[str, Any], threshold: float | None
) -> None:
    found = tensor_variance({"x": Series([0], [value])}, **bounds)
    assert (found.status == "IssuesFound", found.threshold) == (threshold is not None, threshold)


def test_the_variance_is_numpys() -> None:
    values = np.random.default_rng(0).normal(size=(4, 5))
    found = ask("TensorVariance", recordings("x", "own", [values]), max_threshold=0)
    assert (*told(found), found.value) == ("IssuesFound", 0, "x", pytest.approx(values.var()))
    assert ask("TensorVariance", recordings("x", "own", [values])).status == "NotApplicable"


@pytest.mark.parametrize("equal_nan", [False, True])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1.0], [1.0 + 0.9e-5]),
        ([1.0], [1.0 + 1.1e-5]),
        ([0.0], [0.9e-8]),
        ([0.0], [1.1e-8]),
        ([np.nan], [np.nan]),
        ([np.inf], [np.inf]),
        ([1e9], [1e9 + 1e4 - 1]),
    ],
)
def test_unchanged_is_what_numpy_calls_close(first: list[float], second: list[float], equal_nan: bool) -> None:
    found = ask("UnchangedTensor", recordings("w", "weights", [first, second]), num_steps=2, equal_nan=equal_nan)
    assert (found.status == "IssuesFound") == np.allclose(second, first, rtol=1e-5, atol=1e-8, equal_nan=equal_nan)


def walk(*changes: int) -> list[list[float]]:
    return [[float(sum(changes[: n + 1]))] for n in range(len(changes))]


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ((0, 1, 0), None),
        ((0, 1, 0, 0), 3),
        ((0, 1, 0, 0, 0), 3),
        ((0, 1, 0, 0, 1), None),
        ((0, 0, 0, 1, 1), None),
        ((0, 0, 0), 2),
        ((0, 0), None),
    ],
)
def test_a_tensor_is_unchanged_in_its_newest_three_recordings(changes: tuple[int, ...], step: int | None) -> None:
    found = ask("UnchangedTensor", recordings("w", "weights", walk(*changes)))
    assert (found.status == "IssuesFound", found.step) == (step is not None, step)


def test_one_recording_cannot_be_unchanged_and_counts_as_two() -> None:
    found = ask("UnchangedTensor", recordings("w", "weights", [[1.0], [1.0]]), num_steps=1)
    assert (found.status, found.value, found.threshold) == ("IssuesFound", 2.0, 2.0)
    assert ask("UnchangedTensor", recordings("w", "weights", [[1.0]]), num_steps=1).status == "NotApplicable"
    assert ask("UnchangedTensor", recordings("w", "weights", [[1.0], [2.0]]), num_steps=1).status == "NoIssuesFound"


def test_a_frozen_tensor_beside_a_trained_one_is_not_blamed_nor_one_that_is_unfrozen_later() -> None:
    trained = recordings("head", "weights", walk(*[1] * 6))
    frozen = recordings("stem", "weights", walk(*[0] * 6))
    later = recordings("stage", "weights", walk(0, 0, 0, 0, 1, 1))
    found = ask("UnchangedTensor", [*trained, *frozen, *later])
    assert (found.status, found.reason) == (
        "NoIssuesFound",
        "2 tensors change; 1 never do, and are taken as frozen.",
    )
    stopped = recordings("stage", "weights", walk(0, 0, 1, 0, 0, 0))
    assert told(ask("UnchangedTensor", [*trained, *frozen, *stopped])) == ("IssuesFound", 4, "stage")


def test_where_nothing_changes_at_all_nothing_is_taken_as_frozen() -> None:
    given = [*recordings("a", "weights", walk(0, 0, 0)), *recordings("b", "weights", walk(0, 0, 0))]
    assert told(ask("UnchangedTensor", given)) == ("IssuesFound", 2, "a")


def test_weights_may_stay_the_same_between_the_batches_of_an_evaluation() -> None:
    given = [
        *recordings("w", "weights", walk(0, 1, 1, 1)),
        *recordings("w", "weights", walk(0, 1, 0, 0, 0), mode="EVAL"),
    ]
    assert ask("UnchangedTensor", given).status == "NoIssuesFound"


def test_weights_may_come_to_rest_in_the_last_fifth_of_a_long_run_and_no_earlier() -> None:
    moving = [False] * 40
    assert unchanged_tensor({"w": Series(list(range(50)), [*moving, *[True] * 10])}).status == "NoIssuesFound"
    found = unchanged_tensor({"w": Series(list(range(50)), [*moving[:38], *[True] * 12])})
    assert (found.status, found.step) == ("IssuesFound", 39)
