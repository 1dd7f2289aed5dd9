from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from dogbreed.debugging.rules.activations import dead_relu, saturated_activation
from dogbreed.debugging.series import Series
from tests.debugging.rules.recordings import ask, recordings, told

RELU = "backbone.relu/relu_output"


def activity(*percentages: float, batch: int = 1000) -> Tensor:
    """Outputs of units that are above zero so often of a hundred."""
    rows = torch.arange(batch)[:, None]
    return (rows < torch.tensor([round(p * batch / 100) for p in percentages])).float()


@pytest.mark.parametrize(("percentage", "dead"), [(0.9, 100.0), (1.0, 0.0), (1.1, 0.0), (0.0, 100.0)])
def test_a_unit_is_dead_below_the_inactivity(percentage: float, dead: float) -> None:
    assert ask("DeadRelu", recordings(RELU, "relu_output", [activity(percentage)])).value == dead


@pytest.mark.parametrize(("dead", "status"), [(49, "NoIssuesFound"), (50, "NoIssuesFound"), (51, "IssuesFound")])
def test_a_layer_is_dead_above_the_share_of_its_units(dead: int, status: str) -> None:
    outputs = activity(*[0.0] * dead, *[40.0] * (100 - dead))
    found = ask("DeadRelu", recordings(RELU, "relu_output", [activity(50.0), outputs]))
    assert (found.status, found.value, found.threshold) == (status, dead, 50.0)
    if status == "IssuesFound":
        assert told(found) == ("IssuesFound", 1, RELU)


def test_a_channel_is_one_unit() -> None:
    outputs = torch.zeros(2, 4, 10, 10)
    outputs[0, 0, 0, :2] = 1  # two of its two hundred values
    found = ask("DeadRelu", recordings(RELU, "relu_output", [outputs]))
    assert (found.status, found.value) == ("IssuesFound", 75.0)
    assert ask("DeadRelu", recordings(RELU, "relu_output", [outputs]), threshold_inactivity=1.5).value == 100.0


def test_shares_of_units_are_taken_as_such() -> None:
    found = ask("DeadRelu", recordings(RELU, "relu_output", [np.array([0.009, 0.01, 0.5, 0.0], np.float32)]))
    assert (found.status, found.value) == ("NoIssuesFound", 50.0)


def test_a_real_relu_lives_and_dies_of_its_bias() -> None:
    logits = torch.randn(64, 32, 5, 5, generator=torch.Generator().manual_seed(0))
    assert ask("DeadRelu", recordings(RELU, "relu_output", [functional.relu(logits)])).value == 0.0
    assert ask("DeadRelu", recordings(RELU, "relu_output", [functional.relu(logits - 9)])).value == 100.0


def test_what_is_no_number_is_not_dead_and_without_a_relu_there_is_nothing_to_say() -> None:
    outputs = torch.full((8, 4), torch.nan)
    assert ask("DeadRelu", recordings(RELU, "relu_output", [outputs])).status == "NoIssuesFound"
    assert ask("DeadRelu", recordings("x", "own", [outputs])).status == "NotApplicable"
    assert ask("DeadRelu", recordings("x", "own", [outputs]), tensor_regex="x").status == "NoIssuesFound"
    assert dead_relu({}).status == "NotApplicable"


@pytest.mark.parametrize(
    ("kind", "value", "saturated"),
    [
        ("tanh", 9.4, False),
        ("tanh", 9.6, True),
        ("tanh", -9.6, True),
        ("sigmoid", -22.9, False),
        ("sigmoid", -23.0, False),
        ("sigmoid", -23.1, True),
        ("sigmoid", 16.9, False),
        ("sigmoid", 17.1, True),
    ],
)
def test_an_input_saturates_outside_the_bounds_of_its_activation(kind: str, value: float, saturated: bool) -> None:
    given = recordings(f"head.{kind}_input", "own", [torch.full((8, 4), value)])
    found = ask("SaturatedActivation", given)
    assert found.status == ("IssuesFound" if saturated else "NoIssuesFound")


def test_the_last_kind_in_a_name_is_the_layers() -> None:
    values = [torch.full((8, 4), 12.0)]
    assert ask("SaturatedActivation", recordings("tanhnet.sigmoid_input", "own", values)).status == "NoIssuesFound"
    assert ask("SaturatedActivation", recordings("sigmoids.tanh_input", "own", values)).status == "IssuesFound"


@pytest.mark.parametrize(("inside", "share"), [(0, 100.0), (9, 100.0), (10, 0.0), (11, 0.0)])
def test_a_unit_is_saturated_that_is_within_the_bounds_less_often_than_the_inactivity(
    inside: int, share: float
) -> None:
    inputs = torch.full((1000, 1), 50.0)
    inputs[:inside] = 0
    found = ask("SaturatedActivation", recordings("a/tanh_input", "own", [inputs]), threshold_layer=0)
    assert (found.value or 0.0) == share


@pytest.mark.parametrize(("share", "status"), [(49.9, "NoIssuesFound"), (50.0, "NoIssuesFound"), (50.1, "IssuesFound")])
def test_a_layer_is_saturated_above_the_share_of_its_units(share: float, status: str) -> None:
    assert saturated_activation({"a": Series([4], [share])}).status == status


def test_saturation_is_told_with_step_and_layer_and_never_of_a_relu() -> None:
    inputs = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    found = ask("SaturatedActivation", recordings("a/tanh_input", "own", [inputs, inputs + 20]))
    assert told(found) == ("IssuesFound", 1, "a/tanh_input")
    assert (found.value, found.threshold) == (100.0, 50.0)
    assert ask("SaturatedActivation", recordings("a/relu_input", "relu_input", [inputs])).status == "NotApplicable"
    assert ask("SaturatedActivation", recordings("a/b", "own", [inputs]), collection_names="own").tensor is None
    bounds = {"threshold_tanh": [-0.01, 0.01], "threshold_inactivity": 50.0}
    assert ask("SaturatedActivation", recordings("a/tanh_input", "own", [inputs]), **bounds).status == "IssuesFound"


HEADS: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": functional.relu,
    "sigmoid": torch.sigmoid,
    "softmax": partial(functional.softmax, dim=1),
}


def logits(scale: float, classes: int = 5, batches: int = 4) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [scale * torch.randn(16, classes, generator=generator) for _ in range(batches)]


@pytest.mark.parametrize("scale", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("classes", [2, 120])
def test_a_head_is_known_by_its_outputs(head: str, scale: float, classes: int) -> None:
    outputs = [HEADS[head](batch) for batch in logits(scale, classes)]
    found = ask("HeadSaturated", recordings("predictions", "predictions", outputs))
    assert told(found) == ("IssuesFound", 2, None)
    assert f"The outputs look like those of a {head}: " in found.reason
    assert (found.value, found.threshold) == (float(outputs[0].min()), 0.0)


@pytest.mark.parametrize("scale", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("classes", [2, 120])
def test_logits_never_look_like_a_heads_activation_nor_does_log_softmax_which_the_loss_leaves_as_it_is(
    scale: float, classes: int
) -> None:
    for batches in (logits(scale, classes), [functional.log_softmax(batch, 1) for batch in logits(scale, classes)]):
        assert ask("HeadSaturated", recordings("predictions", "predictions", batches)).status == "NoIssuesFound"


def test_a_head_is_judged_by_so_many_batches_and_not_by_answers_that_are_classes_already() -> None:
    outputs = [functional.relu(batch) for batch in logits(1.0)]
    assert ask("HeadSaturated", recordings("predictions", "predictions", outputs[:2])).status == "NotApplicable"
    assert ask("HeadSaturated", recordings("predictions", "predictions", outputs[:2]), steps=2).step == 1
    mixed = [*outputs[:2], *logits(1.0)]
    assert ask("HeadSaturated", recordings("predictions", "predictions", mixed)).status == "NoIssuesFound"
    classes = [batch.argmax(1) for batch in logits(1.0)]
    assert ask("HeadSaturated", recordings("predictions", "predictions", classes)).status == "NotApplicable"


@pytest.mark.parametrize(("zeros", "status"), [(4, "NoIssuesFound"), (5, "IssuesFound"), (6, "IssuesFound")])
def test_so_many_zeros_make_a_relu(zeros: int, status: str) -> None:
    outputs = torch.linspace(1, 9, 100).reshape(20, 5)
    outputs.view(-1)[:zeros] = 0
    assert ask("HeadSaturated", recordings("predictions", "predictions", [outputs] * 3)).status == status
