from __future__ import annotations

import math

import pytest

from dogbreed.container import hyperparameters, overrides
from dogbreed.errors import ConfigError


def test_a_hyperparameter_is_decoded_where_it_is_json() -> None:
    texts = {
        "a": "1e-05",
        "b": "7",
        "c": "[512, null]",
        "d": "true",
        "e": '"cosine"',
        "f": "cosine",
        "g": "True",
        "h": "None",
        "i": "",
        "j": '{"x": 1}',
        "k": "1e-05 ",
        "l": "'single'",
        "m": "Infinity",
        "n": "0.00001",
    }
    expected = [1e-05, 7, [512, None], True, "cosine", "cosine", "True", "None", "", {"x": 1}, 1e-05, "'single'"]
    decoded = list(hyperparameters(texts).values())
    assert decoded == [*expected, math.inf, 0.00001]
    assert [type(value) for value in decoded[:2]] == [float, int]


def test_what_is_decoded_already_stays() -> None:
    values = {"a": 7, "b": None, "c": [1], "d": "x"}
    assert hyperparameters(values) == values  # type: ignore[arg-type]


def test_settings_become_overrides_in_their_order() -> None:
    given = {"model__learning_rate": 1e-05, "data": "folder", "model__hidden": [512], "model__weights": None, "seed": 7}
    assert overrides(given) == [
        "model.learning_rate=1e-05",
        "data=folder",
        "model.hidden=[512]",
        "model.weights=null",
        "seed=7",
    ]


def test_what_sagemaker_keeps_to_itself_is_left_out() -> None:
    given = {"sagemaker_program": "container.py", "_tuning_objective_metric": "val/loss", "sagemaker_region": "x"}
    assert overrides(given) == []


def test_texts_that_look_like_values_stay_texts() -> None:
    given = {"a": "True", "b": "None", "c": "1e-05", "d": "true"}
    assert overrides(given) == ["a='True'", "b=None", "c='1e-05'", "d='true'"]


def test_a_hyperparameter_that_is_no_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="name of a setting"):
        overrides({"learning-rate": 1})
