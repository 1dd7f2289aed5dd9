from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rule_table import RULES
from dogbreed.errors import ConfigError
from tests.debugging.rules.recordings import ask, recordings

CHOICE = {"collection_names": None, "tensor_regex": None}
ANSWERS = {"labels_regex": ".*labels", "predictions_regex": ".*predictions"}
# https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html. Not here: what of a service a run on one
# machine lacks (other_trial, stop_training_on_fire), modes other than ours, and `argmax`, which the shape tells.
PUBLISHED: dict[str, dict[str, Any]] = {
    "VanishingGradient": {"threshold": 1e-7},
    "ExplodingTensor": {**CHOICE, "only_nan": False},
    "Overfit": {"tensor_regex": None, "start_step": 0, "patience": 1, "ratio_threshold": 0.1},
    "Overtraining": {"patience_train": 5, "patience_validation": 10, "delta": 0.1},
    "PoorWeightInitialization": {
        "activation_inputs_regex": ".*relu_input",
        "threshold": 10.0,
        "distribution_range": 0.001,
        "patience": 5,
        "steps": 10,
    },
    "LossNotDecreasing": {**CHOICE, "num_steps": 10, "diff_percent": 0.0, "mode": None},
    "ClassImbalance": {"threshold_imbalance": 10, "threshold_misprediction": 0.7, "samples": 500, **ANSWERS},
    "Confusion": {"category_no": None, "min_diag": 0.9, "max_off_diag": 0.1},
    "DeadRelu": {"tensor_regex": ".*relu_output", "threshold_inactivity": 1.0, "threshold_layer": 50.0},
    "SaturatedActivation": {
        "collection_names": None,
        "tensor_regex": ".*tanh_input,.*sigmoid_input",
        "threshold_tanh": (-9.4999, 9.4999),
        "threshold_sigmoid": (-23, 16.99999),
        "threshold_inactivity": 1.0,
        "threshold_layer": 50.0,
    },
    "TensorVariance": {**CHOICE, "max_threshold": None, "min_threshold": None},
    "UnchangedTensor": {**CHOICE, "num_steps": 3, "rtol": 1e-5, "atol": 1e-8, "equal_nan": False},
    "AllZero": {**CHOICE, "threshold": 100},
    "WeightUpdateRatio": {"large_threshold": 10.0, "small_threshold": 1e-8, "epsilon": 1e-9},
    "CheckInputImages": {
        "threshold_mean": 0.2,
        "threshold_samples": 500,
        "regex": ".*hybridsequential0_input_0",
        "channel": 1,
    },
    "StalledTraining": {"threshold": 1800},
}
# What the published rules lack.
OWN: dict[str, dict[str, Any]] = {
    "Overfit": {"rising": 0.0},
    "Overtraining": {"tensor_regex": None},
    "Confusion": ANSWERS,
}


@pytest.mark.parametrize("rule", PUBLISHED)
def test_parameters_have_the_published_names_and_defaults(rule: str) -> None:
    assert RULES[rule].parameters == PUBLISHED[rule] | OWN.get(rule, {})


@pytest.mark.parametrize("rule", RULES)
def test_every_default_can_be_given(rule: str) -> None:
    assert Recorded({rule: RULES[rule].parameters}).settings[rule] == RULES[rule].parameters


def test_an_unknown_parameter_or_rule_is_refused_and_the_known_are_told() -> None:
    with pytest.raises(
        ConfigError, match="VanishingGradient has no parameter 'treshold'; its parameters are: threshold"
    ):
        Recorded({"VanishingGradient": {"treshold": 1}})
    with pytest.raises(ConfigError, match="Unknown rule 'Vanishing'; known are VanishingGradient, "):
        Recorded({"Vanishing": {}})


@pytest.mark.parametrize(
    ("rule", "name", "value", "expected"),
    [
        ("Overfit", "patience", 0, "a whole number of at least 1"),
        ("Overfit", "start_step", -1, "a whole number of at least 0"),
        ("Overfit", "patience", 1.5, "a whole number of at least 1"),
        ("Overfit", "patience", True, "a whole number of at least 1"),
        ("Overfit", "ratio_threshold", "high", "a number"),
        ("Overfit", "ratio_threshold", float("nan"), "a number"),
        ("Overfit", "tensor_regex", 3, "a text, or a list of texts"),
        ("LossNotDecreasing", "num_steps", 0, "a whole number of at least 1"),
        ("PoorWeightInitialization", "patience", 0, "a whole number of at least 1"),
        ("LearningRateTooHigh", "window", 0, "a whole number of at least 1"),
        ("HeadSaturated", "steps", 0, "a whole number of at least 1"),
        ("NotLearning", "warmup", -1, "a whole number of at least 0"),
        ("ClassImbalance", "samples", -1, "a whole number of at least 0"),
        ("Confusion", "category_no", 0, "a whole number of at least 1"),
        ("TensorVariance", "max_threshold", "1", "a number"),
        ("ExplodingTensor", "only_nan", "no", "true or false"),
        ("SaturatedActivation", "threshold_tanh", (1.0, -1.0), "two numbers, the lower first"),
        ("SaturatedActivation", "threshold_tanh", 9.0, "two numbers, the lower first"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(rule: str, name: str, value: object, expected: str) -> None:
    with pytest.raises(ConfigError) as error:
        Recorded({rule: {name: value}})
    assert str(error.value) == f"Expected {name} of rule {rule} to be {expected}, got {value!r}."


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        ("AllZero", {"tensor_regex": "layer["}),
        ("DeadRelu", {"tensor_regex": "relu,("}),
        ("CheckInputImages", {"regex": "*"}),
        ("ClassImbalance", {"labels_regex": "+"}),
    ],
)
def test_what_is_no_regular_expression_is_refused(rule: str, settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="Expected a regular expression of tensor names, got "):
        Recorded({rule: settings})


@pytest.mark.parametrize(
    ("regex", "names"),
    [
        ("conv1", {"Net_conv1.weight", "gradient/Net_conv1.weight"}),
        ("^gradient", {"gradient/Net_conv1.weight"}),
        ("bias$", {"Net_fc.bias"}),
        ("^gradient,bias$", {"gradient/Net_conv1.weight", "Net_fc.bias"}),
        (" bias , ^grad ", {"gradient/Net_conv1.weight", "Net_fc.bias"}),
        (["^gradient", "bias$"], {"gradient/Net_conv1.weight", "Net_fc.bias"}),
        ("conv1|fc", {"Net_conv1.weight", "gradient/Net_conv1.weight", "Net_fc.bias"}),
        ("nothing", set()),
    ],
)
def test_a_regex_may_match_anywhere_in_a_name_and_several_are_parted_by_commas(regex: str, names: set[str]) -> None:
    recorded = Recorded({"AllZero": {"tensor_regex": regex}})
    for name in ("Net_conv1.weight", "gradient/Net_conv1.weight", "Net_fc.bias"):
        recorded.record(name, {"own"}, "TRAIN", 0, np.ones(2), 0)
    assert set(recorded.series("AllZero")["tensors"]) == names


@pytest.mark.parametrize("names", ["weights,biases", "weights, biases", ["weights", "biases"]])
def test_collections_are_a_list_or_parted_by_commas_and_a_regex_adds_to_them(names: str | list[str]) -> None:
    given = [
        *recordings("w", "weights", [[1.0]]),
        *recordings("b", "biases", [[1.0]]),
        *recordings("g", "own", [[0.0]]),
    ]
    assert ask("AllZero", given, collection_names=names).status == "NoIssuesFound"
    assert ask("AllZero", given, collection_names=names, tensor_regex="^g$").tensor == "g"


def test_collections_and_regex_choose_the_losses_that_have_to_fall() -> None:
    given = [*recordings("loss", "losses", [1.0, 0.5]), *recordings("aux", "own", [1.0, 2.0])]
    assert ask("LossNotDecreasing", given, num_steps=1).status == "NoIssuesFound"
    assert ask("LossNotDecreasing", given, num_steps=1, tensor_regex="aux").status == "IssuesFound"
    assert ask("LossNotDecreasing", given, num_steps=1, collection_names="own").status == "IssuesFound"
