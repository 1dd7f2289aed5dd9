"""What machines a request asks for: how many, of which types, for how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from launch.requests.request import Request


@dataclass(frozen=True)
class Machines:
    """Of a training job, or of all the jobs of a search.

    Attributes:
        instance_types: of which a job gets one, the first preferred.
        count: of a job.
        seconds: that a job may take, and its machines be kept warm after it.
        spot: whether they are spare ones.
        warm: whether they are kept for the next job.
        jobs: in all; None where a search has no limit.
        parallel: jobs at a time.
    """

    instance_types: tuple[str, ...]
    count: int
    seconds: int
    spot: bool
    warm: bool
    jobs: int | None = 1
    parallel: int = 1


def machines(request: Request) -> Machines:
    """The machines of `CreateTrainingJob` or `CreateHyperParameterTuningJob`."""
    parameters = request.parameters
    job = parameters.get("TrainingJobDefinition", parameters)
    resources = job.get("HyperParameterTuningResourceConfig") or job["ResourceConfig"]
    candidates = resources.get("InstancePreferences") or resources.get("InstanceConfigs") or [resources]
    warm = resources.get("KeepAlivePeriodInSeconds", 0)
    jobs, parallel = _jobs(parameters.get("HyperParameterTuningJobConfig"))
    return Machines(
        instance_types=tuple(one["InstanceType"] for one in candidates),
        count=max(one.get("InstanceCount", resources.get("InstanceCount", 1)) for one in candidates),
        seconds=job["StoppingCondition"]["MaxRuntimeInSeconds"] + warm,
        spot=job.get("EnableManagedSpotTraining", False),
        warm=warm > 0,
        jobs=jobs,
        parallel=parallel,
    )


def _jobs(search: Mapping[str, Any] | None) -> tuple[int | None, int]:
    """How many in all, and at a time."""
    if search is None:
        return 1, 1
    limits, ranges = search["ResourceLimits"], search["ParameterRanges"]
    points = math.prod(len(one["Values"]) for one in ranges["CategoricalParameterRanges"])
    jobs = points if search["Strategy"] == "Grid" else limits.get("MaxNumberOfTrainingJobs")
    return jobs, limits["MaxParallelTrainingJobs"]
