"""What a tuning job may be given besides its space: when to end, what to learn from, how long a run may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launch.requests import tuning_limits as limits


@dataclass(frozen=True)
class Completion:
    """When a search has found enough; what is met first ends it.

    Args:
        target: a value of the metric.
        not_improving: so many jobs, from 3, that did not better the metric by a hundredth.
        converged: whether SageMaker may judge that no more will be found.

    Raises:
        ConfigError: fewer jobs.
    """

    target: float | None = None
    not_improving: int | None = None
    converged: bool = False

    def __post_init__(self) -> None:
        limits.check_between("not_improving", self.not_improving, 3)

    def criteria(self) -> dict[str, Any]:
        """`TuningJobCompletionCriteria`."""
        jobs = self.not_improving
        criteria = {
            "TargetObjectiveMetricValue": self.target,
            "BestObjectiveNotImproving": None if jobs is None else {"MaxNumberOfTrainingJobsNotImproving": jobs},
            "ConvergenceDetected": {"CompleteOnConvergence": "Enabled"} if self.converged else None,
        }
        return given(criteria)


@dataclass(frozen=True)
class WarmStart:
    """Earlier searches to learn from.

    Args:
        parents: names of 1 to 5 tuning jobs.
        transfer: where the data or the code are no longer the same.

    Raises:
        ConfigError: none, more, or a name that no tuning job has.
    """

    parents: Sequence[str]
    transfer: bool = False

    def __post_init__(self) -> None:
        limits.check_between("the number of a warm start's parents", len(self.parents), 1, 5)
        for parent in self.parents:
            limits.check_name(parent)

    def config(self) -> dict[str, Any]:
        """`WarmStartConfig`."""
        return {
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": parent} for parent in self.parents],
            "WarmStartType": "TransferLearning" if self.transfer else "IdenticalDataAndAlgorithm",
        }


@dataclass(frozen=True)
class Hyperband:
    """How long a run may be where the strategy is hyperband.

    Args:
        min_epochs: after which it may be stopped.
        max_epochs: after which it is, 20,000 at most.

    Raises:
        ConfigError: no such range.
    """

    min_epochs: int
    max_epochs: int

    def __post_init__(self) -> None:
        limits.check_between("max_epochs of hyperband", self.max_epochs, 1, 20_000)
        limits.check_between("min_epochs of hyperband", self.min_epochs, 1, self.max_epochs)

    def config(self) -> dict[str, Any]:
        """`StrategyConfig`."""
        return {"HyperbandStrategyConfig": {"MinResource": self.min_epochs, "MaxResource": self.max_epochs}}


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was not given: None."""
    return {key: value for key, value in values.items() if value is not None}
