"""The trials of a tuning job: status, objective and settings, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launch.accounts.cloud_errors import cloud_errors


@dataclass(frozen=True)
class Trial:
    """A training job of a tuning job.

    Attributes:
        name: of the training job.
        status: in the service's words.
        objective: None before there is one.
        settings: by name, each as its JSON text.
        reason: of a failure; else empty.
        seconds: of training, once it has ended.
    """

    name: str
    status: str
    objective: float | None
    settings: Mapping[str, str]
    reason: str = ""
    seconds: float = 0.0


def trials(client: Any, tuning_job: str) -> list[Trial]:
    """In the order in which they were made.

    Raises:
        CloudError: the service refused, or could not be asked.
    """
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    asked = {"HyperParameterTuningJobName": tuning_job, "SortBy": "CreationTime", "SortOrder": "Ascending"}
    with cloud_errors():
        return [trial(one) for page in pages.paginate(**asked) for one in page["TrainingJobSummaries"]]


def trial(summary: Mapping[str, Any]) -> Trial:
    """As the service sums a training job up."""
    start, end = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    objective = summary.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
    return Trial(
        summary["TrainingJobName"],
        summary.get("TrainingJobStatus", "Completed"),
        objective.get("Value"),
        settings(summary.get("TunedHyperParameters") or {}),
        " ".join(summary.get("FailureReason", "").split()),
        (end - start).total_seconds() if start and end else 0.0,
    )


def settings(tuned: Mapping[str, str]) -> dict[str, str]:
    """Hyperparameters by the names of the settings that they stand for.

    >>> settings({"model__learning_rate": "0.001", "data__batch_size": "32"})
    {'data.batch_size': '32', 'model.learning_rate': '0.001'}
    """
    return {name.replace("__", "."): value for name, value in sorted(tuned.items())}


def line(trial: Trial) -> str:
    """A trial in one line.

    >>> line(Trial("dogs-001-a", "Completed", 0.25, {"model.learning_rate": "0.001"}))
    'dogs-001-a  Completed   0.25000  model.learning_rate=0.001'
    """
    objective = f"{trial.objective:.5f}" if trial.objective is not None else "-"
    told = " ".join(f"{name}={value}" for name, value in trial.settings.items())
    reason = f"  {trial.reason}" if trial.reason else ""
    return f"{trial.name}  {trial.status:<10}  {objective:>7}  {told}{reason}".rstrip()


def table(found: Sequence[Trial], *, minimize: bool) -> list[str]:
    """A line for each trial, the best first, those without an objective last."""
    sign = 1 if minimize else -1
    ranked = sorted(found, key=lambda one: (one.objective is None, sign * (one.objective or 0.0)))
    return [line(one) for one in ranked]
