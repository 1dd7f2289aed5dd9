"""A space in Optuna's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dogbreed.tuning.space import Choice, Integers, LogUniform, Parameter, Space, Uniform

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Optuna's distribution of each setting; a choice's values are stored as JSON, which keeps lists and kinds."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    kinds: Mapping[type, Callable[[Any], BaseDistribution]] = {
        Uniform: lambda range_: FloatDistribution(range_.low, range_.high),
        LogUniform: lambda range_: FloatDistribution(range_.low, range_.high, log=True),
        Integers: lambda range_: IntDistribution(range_.low, range_.high),
        Choice: lambda choice: CategoricalDistribution([json.dumps(value) for value in choice.values]),
    }
    return {name: kinds[type(parameter)](parameter) for name, parameter in space.items()}


def stored(space: Space, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as Optuna stores them."""
    return {name: json.dumps(v) if _is_choice(space[name]) else v for name, v in settings.items()}


def chosen(space: Space, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of what Optuna has stored.

    >>> chosen({"model.hidden": Choice([[], [512]])}, {"model.hidden": "[512]"})
    {'model.hidden': [512]}
    """
    return {name: json.loads(v) if _is_choice(space[name]) else v for name, v in parameters.items()}


def _is_choice(parameter: Parameter) -> bool:
    return isinstance(parameter, Choice)
