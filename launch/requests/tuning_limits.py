"""What a SageMaker tuning job cannot do, said in one sentence before anything is sent.

Where the service's own model does not hold a limit, it is published in AWS's pages "Resource Limits for Automatic Model
Tuning" and "Define Hyperparameter Ranges".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from dogbreed.epoch_line import OBJECTIVES
from dogbreed.errors import ConfigError
from dogbreed.tuning.space import Choice, Space
from launch.requests.parameter_ranges import hyperparameter_name

STRATEGIES = {"bayesian": "Bayesian", "random": "Random", "hyperband": "Hyperband", "grid": "Grid"}
JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}")
LONGEST_JOB_NAME = 32
MOST_TUNED = 30
MOST_CHOICES = 30
# Static and tuned, and the one that SageMaker adds to them.
MOST_HYPERPARAMETERS = 100
MOST_PARALLEL_JOBS = 100
MOST_JOBS = {"bayesian": 750, "random": 10_000, "hyperband": 750, "grid": 750}
RUNTIME_SECONDS = (120, 15_768_000)


def check_between(name: str, value: float | None, low: float, high: float = math.inf) -> None:
    """None is a setting that was not given.

    Raises:
        ConfigError: the value is outside.
    """
    if value is not None and not low <= value <= high:
        most = "" if high == math.inf else f" and {high} at most"
        raise ConfigError(f"SageMaker expects {name} to be {low} at least{most}, got {value}.")


def check_name(name: str) -> None:
    """A tuning job's.

    Raises:
        ConfigError: SageMaker takes no such name.
    """
    if len(name) > LONGEST_JOB_NAME or not JOB_NAME.fullmatch(name):
        raise ConfigError(
            f"SageMaker names a tuning job by up to {LONGEST_JOB_NAME} letters, digits and hyphens, the first and last "
            f"no hyphen; it cannot use {name!r}."
        )


def check_metric(metric: str) -> None:
    """Of a validation split, in every epoch.

    Raises:
        ConfigError: another one.
    """
    if metric not in OBJECTIVES:
        raise ConfigError(
            f"A search can go by the figures of the validation split alone, not by {metric!r}; choose metric from "
            f"{', '.join(OBJECTIVES)}."
        )


def check_channels(training_job: Mapping[str, Any]) -> None:
    """None of test photos.

    Raises:
        ConfigError: there is one.
    """
    names = [channel.get("ChannelName", "") for channel in training_job.get("InputDataConfig", [])]
    if any(name.lower() == "test" for name in names):
        raise ConfigError(
            "A tuning job has no channel of test photos, since a search that sees them makes the test figures of its "
            "choice worthless; leave the channel out and test the best model once, afterwards."
        )


def check_once(given: Iterable[str], own: Iterable[str]) -> None:
    """Each hyperparameter in one place.

    Raises:
        ConfigError: one of them in both.
    """
    if twice := sorted(set(given) & set(own)):
        name = twice[0].replace("__", ".")
        raise ConfigError(f"SageMaker takes each hyperparameter once, {name} was given twice; leave one of them out.")


def check_space(space: Space, shared: Mapping[str, str]) -> None:
    """Sizes of the space, beside the hyperparameters that all runs share.

    Raises:
        ConfigError: nothing to search, or more than SageMaker searches.
    """
    check_between("the number of settings to search", len(space), 1, MOST_TUNED)
    for name, parameter in space.items():
        if isinstance(parameter, Choice):
            check_between(f"the number of values of {name}", len(parameter.values), 1, MOST_CHOICES)
    check_once(shared, map(hyperparameter_name, space))
    total = len(space) + len(shared) + 1
    if total > MOST_HYPERPARAMETERS:
        raise ConfigError(
            f"SageMaker takes {MOST_HYPERPARAMETERS} hyperparameters in all, one of them its own, this job would have "
            f"{total}; give the settings that all runs share a preset in conf/ and choose the preset by its name."
        )


def check_strategy(strategy: str, space: Space, early_stopping: bool, hyperband: object | None) -> None:
    """Whether the strategy goes with the space and the rest.

    Raises:
        ConfigError: it does not.
    """
    if strategy not in STRATEGIES:
        raise ConfigError(f"SageMaker searches by {', '.join(STRATEGIES)}, got strategy {strategy!r}.")
    ranges = [name for name, parameter in space.items() if not isinstance(parameter, Choice)]
    faults = {
        f"A grid is made of choices, and {', '.join(ranges)} can be any number of a range; choose its values, or "
        "another strategy.": strategy == "grid" and bool(ranges),
        "Hyperband stops runs by itself, SageMaker does not join it with early stopping; leave early_stopping out.": (
            strategy == "hyperband" and early_stopping
        ),
        "Hyperband needs to know after how many epochs a run may and must end; give hyperband its min_epochs and "
        "max_epochs.": strategy == "hyperband" and hyperband is None,
        f"The epochs of hyperband mean nothing to the strategy {strategy}; leave them out, or choose hyperband.": (
            strategy != "hyperband" and hyperband is not None
        ),
    }
    for sentence, found in faults.items():
        if found:
            raise ConfigError(sentence)


def check_jobs(strategy: str, space: Space, max_jobs: int | None, max_parallel_jobs: int) -> None:
    """How many jobs, and how many of them at a time.

    Raises:
        ConfigError: none, more than SageMaker allows, or more at a time than in all.
    """
    points = math.prod(len(parameter.values) for parameter in space.values() if isinstance(parameter, Choice))
    jobs, named = (points, "the points of the grid") if strategy == "grid" else (max_jobs, "max_jobs")
    check_between(named, jobs, 1, MOST_JOBS[strategy])
    check_between("max_parallel_jobs", max_parallel_jobs, 1, MOST_PARALLEL_JOBS)
    if jobs is not None and max_parallel_jobs > jobs:
        raise ConfigError(
            f"SageMaker cannot run {max_parallel_jobs} of {jobs} jobs at a time; lower max_parallel_jobs."
        )
