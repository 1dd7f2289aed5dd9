"""A search space in SageMaker's words: ranges of hyperparameters, every number of them a text."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from dogbreed.errors import ConfigError
from dogbreed.tuning.space import Choice, Integers, LogUniform, Parameter, Space, Uniform

# Of a hyperparameter's name and of its value.
LONGEST_TEXT = 256


def parameter_ranges(space: Space) -> dict[str, list[dict[str, Any]]]:
    """The `ParameterRanges` of a tuning job, each kind of range in the order of the space.

    Raises:
        ConfigError: a name that does not survive the way there and back, a value that JSON cannot write, or a text
            longer than a hyperparameter's may be.

    >>> parameter_ranges({"model.learning_rate": LogUniform(1e-5, 1e-2)})["ContinuousParameterRanges"]
    [{'Name': 'model__learning_rate', 'MinValue': '0.00001', 'MaxValue': '0.01', 'ScalingType': 'Logarithmic'}]
    >>> parameter_ranges({"model.hidden": Choice([[], [512]])})["CategoricalParameterRanges"]
    [{'Name': 'model__hidden', 'Values': ['[]', '[512]']}]
    """
    ranges: dict[str, list[dict[str, Any]]] = {kind: [] for kind, _ in RANGES.values()}
    for name, parameter in space.items():
        kind, described = RANGES[type(parameter)]
        ranges[kind].append({"Name": hyperparameter_name(name), **described(name, parameter)})
    return ranges


def hyperparameter_name(name: str) -> str:
    """The name of a setting as a hyperparameter's: SageMaker's exports break at a dot.

    Raises:
        ConfigError: the setting could not be told from the hyperparameter.

    >>> hyperparameter_name("model.learning_rate")
    'model__learning_rate'
    """
    sent = name.replace(".", "__")
    if sent.replace("__", ".") != name or sent.startswith(("sagemaker_", "_tuning_")):
        raise ConfigError(
            f"SageMaker cannot hold the setting {name!r}: its hyperparameters stand for the dot with two underscores, "
            "and keep names in sagemaker_ to themselves; rename the setting."
        )
    return _short_enough(name, sent)


def hyperparameter_text(name: str, value: Any) -> str:
    """The value of a setting as a hyperparameter's: its JSON.

    Raises:
        ConfigError: JSON cannot write the value, or its text is too long.

    >>> hyperparameter_text("model.weights", None)
    'null'
    """
    try:
        text = json.dumps(value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"SageMaker cannot be sent {name}={value!r}: expected what JSON can write.") from error
    return _short_enough(name, text)


def _short_enough(name: str, text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise ConfigError(
            f"SageMaker takes texts of up to {LONGEST_TEXT} characters, {name} needs one of {len(text)}; give it a "
            "preset in conf/ and choose the preset by its name instead."
        )
    return text


def _continuous(name: str, low: float, high: float, scaling: str) -> dict[str, Any]:
    # An exponent is not certain to be read, and rounding would move the bound.
    texts = [_short_enough(name, format(Decimal(repr(float(bound))), "f")) for bound in (low, high)]
    return {"MinValue": texts[0], "MaxValue": texts[1], "ScalingType": scaling}


def _uniform(name: str, parameter: Uniform) -> dict[str, Any]:
    return _continuous(name, parameter.low, parameter.high, "Linear")


def _log_uniform(name: str, parameter: LogUniform) -> dict[str, Any]:
    return _continuous(name, parameter.low, parameter.high, "Logarithmic")


def _integers(name: str, parameter: Integers) -> dict[str, Any]:
    low, high = (_short_enough(name, str(bound)) for bound in (parameter.low, parameter.high))
    return {"MinValue": low, "MaxValue": high, "ScalingType": "Linear"}


def _categorical(name: str, parameter: Choice) -> dict[str, Any]:
    return {"Values": [hyperparameter_text(name, value) for value in parameter.values]}


RANGES: dict[type[Parameter], tuple[str, Callable[[str, Any], dict[str, Any]]]] = {
    Integers: ("IntegerParameterRanges", _integers),
    Uniform: ("ContinuousParameterRanges", _uniform),
    LogUniform: ("ContinuousParameterRanges", _log_uniform),
    Choice: ("CategoricalParameterRanges", _categorical),
}
