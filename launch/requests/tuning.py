"""A search in the cloud: the request of a SageMaker tuning job, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from dogbreed.epoch_line import METRICS, OBJECTIVES, metric_regex, objective_regex
from dogbreed.tuning.space import Space
from launch.requests import tuning_limits as limits
from launch.requests.parameter_ranges import hyperparameter_name, hyperparameter_text, parameter_ranges
from launch.requests.tuning_settings import Completion, Hyperband, WarmStart, given

__all__ = ["Completion", "Hyperband", "WarmStart", "tuning_job"]


def tuning_job(
    name: str,
    space: Space,
    *,
    training_job: Mapping[str, Any],
    static: Mapping[str, Any] = {},
    metric: str = "val/loss",
    strategy: str = "bayesian",
    max_jobs: int | None = 20,
    max_parallel_jobs: int = 1,
    max_runtime_seconds: int | None = None,
    early_stopping: bool = False,
    completion: Completion | None = None,
    warm_start: WarmStart | None = None,
    hyperband: Hyperband | None = None,
    seed: int | None = None,
    tags: Mapping[str, str] = {},
) -> dict[str, Any]:
    """The request for `CreateHyperParameterTuningJob`.

    The objective is the metric at the epoch whose weights a run keeps, not at its last.

    Args:
        name: of the tuning job, and the beginning of its training jobs' names.
        space: by the name of the setting.
        training_job: the rest of `TrainingJobDefinition`, as it is; its hyperparameters stay beside those of the
            search.
        static: settings that every run shares, by name.
        metric: a validation metric of `dogbreed.epoch_line.OBJECTIVES`.
        strategy: bayesian, random, hyperband or grid.
        max_jobs: None for no limit of their number. A grid has as many as it has points.
        max_parallel_jobs: up to 100, where your account allows more than 10.
        max_runtime_seconds: of the whole search, from 120.
        early_stopping: whether SageMaker stops runs that look worse than earlier ones.
        completion: None searches until the jobs are done.
        warm_start: None begins anew.
        hyperband: needed by this strategy, and unknown to others.
        seed: of the search, not of the runs.
        tags: of the tuning job.

    Raises:
        ConfigError: something that SageMaker cannot do, or would do to the wrong end.
    """
    shared = _shared(training_job, static)
    resources = {
        "MaxNumberOfTrainingJobs": None if strategy == "grid" else max_jobs,
        "MaxParallelTrainingJobs": max_parallel_jobs,
        "MaxRuntimeInSeconds": max_runtime_seconds,
    }
    limits.check_name(name)
    limits.check_metric(metric)
    limits.check_space(space, shared)
    limits.check_strategy(strategy, space, early_stopping, hyperband)
    limits.check_jobs(strategy, space, max_jobs, max_parallel_jobs)
    limits.check_between("max_runtime_seconds", max_runtime_seconds, *limits.RUNTIME_SECONDS)
    limits.check_between("seed", seed, 0)
    limits.check_channels(training_job)
    config = {
        "Strategy": limits.STRATEGIES[strategy],
        "StrategyConfig": hyperband and hyperband.config(),
        "HyperParameterTuningJobObjective": {"Type": OBJECTIVES[metric].capitalize(), "MetricName": metric},
        "ResourceLimits": given(resources),
        "ParameterRanges": parameter_ranges(space),
        "TrainingJobEarlyStoppingType": "Auto" if early_stopping else "Off",
        "TuningJobCompletionCriteria": completion and completion.criteria(),
        "RandomSeed": seed,
    }
    request = {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": given(config),
        "TrainingJobDefinition": _definition(training_job, shared, metric),
        "WarmStartConfig": warm_start and warm_start.config(),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()] or None,
    }
    return given(request)


def _shared(training_job: Mapping[str, Any], static: Mapping[str, Any]) -> dict[str, str]:
    """The hyperparameters of every run: those of the training job, and the settings that all share."""
    own = {hyperparameter_name(name): hyperparameter_text(name, value) for name, value in static.items()}
    others = dict(training_job.get("StaticHyperParameters", {}))
    limits.check_once(others, own)
    return others | own


def _definition(training_job: Mapping[str, Any], shared: dict[str, str], metric: str) -> dict[str, Any]:
    definition = deepcopy(dict(training_job))
    algorithm = definition.get("AlgorithmSpecification", {}) | {"MetricDefinitions": _metric_definitions(metric)}
    return definition | {"AlgorithmSpecification": algorithm, "StaticHyperParameters": shared}


def _metric_definitions(objective: str) -> list[dict[str, str]]:
    regexes = {name: metric_regex(name) for name in METRICS} | {objective: objective_regex(objective)}
    return [{"Name": name, "Regex": regex} for name, regex in regexes.items()]
