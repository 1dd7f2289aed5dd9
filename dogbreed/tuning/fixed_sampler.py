"""A sampler without a choice: for trials whose settings are decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


def fixed(parameters: Mapping[str, Any]) -> BaseSampler:
    """What samples these parameters, as Optuna stores them."""
    from optuna.samplers import BaseSampler

    class Fixed(BaseSampler):
        """Every setting has one value."""

        @override
        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        @override
        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return {}

        @override
        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return parameters[param_name]

    return Fixed()
