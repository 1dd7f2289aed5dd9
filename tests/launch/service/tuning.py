"""A submitted tuning job: its trials one after another, each a training job."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from launch.rehearsal.trials import objective_name, training_jobs
from launch.requests.request import Request
from tests.launch.service.training import TrainingJob

# However many the request asks for.
MOST_TRIALS = 3


class TuningJob:
    """One search, and the truth about it."""

    def __init__(self, request: Mapping[str, Any], start: Callable[[Mapping[str, Any]], TrainingJob]) -> None:
        self.request = request
        self.name: str = request["HyperParameterTuningJobName"]
        self._start = start
        self._jobs: list[TrainingJob] = []
        self._status = "InProgress"
        self._created = time.time()

    @property
    def ended(self) -> bool:
        return self._status not in ("InProgress", "Stopping")

    def stop(self) -> None:
        self._status = "Stopping"
        for job in self._jobs:
            job.stop()

    def execute(self) -> None:
        limits = self.request["HyperParameterTuningJobConfig"]["ResourceLimits"]
        count = min(limits.get("MaxNumberOfTrainingJobs", MOST_TRIALS), MOST_TRIALS)
        for job in training_jobs(Request("CreateHyperParameterTuningJob", self.request), count):
            if self._status == "InProgress":
                self._jobs.append(self._start(job))
                self._jobs[-1].execute()
        self._status = "Completed" if self._status == "InProgress" else "Stopped"

    def summaries(self) -> list[dict[str, Any]]:
        """As `ListTrainingJobsForHyperParameterTuningJob` has them."""
        return [self._summary(job) for job in self._jobs]

    def truth(self) -> dict[str, Any]:
        """The members of `DescribeHyperParameterTuningJob` that moto does not know or has wrong."""
        statuses = [job.truth["TrainingJobStatus"] for job in self._jobs]
        counted = {
            "Completed": statuses.count("Completed"),
            "InProgress": sum(not job.ended for job in self._jobs),
            "RetryableError": 0,
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        }
        objectives = {
            "Succeeded": sum(self._value(job) is not None for job in self._jobs),
            "Pending": counted["InProgress"],
            "Failed": sum(job.ended and self._value(job) is None for job in self._jobs),
        }
        truth = {
            "HyperParameterTuningJobStatus": self._status,
            "TrainingJobStatusCounters": counted,
            "ObjectiveStatusCounters": objectives,
            "BestTrainingJob": self._best(),
            "CreationTime": self._created,
            "LastModifiedTime": time.time(),
            "HyperParameterTuningEndTime": time.time() if self.ended else None,
        }
        return {key: value for key, value in truth.items() if value is not None}

    def _best(self) -> dict[str, Any] | None:
        kind = self.request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"]
        values = {job.name: value for job in self._jobs if (value := self._value(job)) is not None}
        if not values:
            return None
        name = (min if kind == "Minimize" else max)(values, key=values.__getitem__)
        return next(self._summary(job) for job in self._jobs if job.name == name)

    def _value(self, job: TrainingJob) -> float | None:
        name = objective_name(self.request)
        found = job.truth.get("FinalMetricDataList", [])
        return next((item["Value"] for item in found if item["MetricName"] == name), None)

    def _summary(self, job: TrainingJob) -> dict[str, Any]:
        shared = self.request["TrainingJobDefinition"].get("StaticHyperParameters", {})
        own = {k: v for k, v in job.request["HyperParameters"].items() if k not in shared and not k.startswith("_")}
        value = self._value(job)
        metric = {
            "Type": self.request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"],
            "MetricName": objective_name(self.request),
            "Value": value,
        }
        members = {
            "TrainingJobName": job.name,
            "TrainingJobArn": arn("training-job", job.name),
            "CreationTime": job.truth["CreationTime"],
            "TrainingStartTime": job.truth.get("TrainingStartTime"),
            "TrainingEndTime": job.truth.get("TrainingEndTime"),
            "TrainingJobStatus": job.truth["TrainingJobStatus"],
            "TunedHyperParameters": own,
            "FailureReason": job.truth.get("FailureReason"),
            "FinalHyperParameterTuningJobObjectiveMetric": None if value is None else metric,
            "ObjectiveStatus": ("Pending" if value is None else "Succeeded") if not job.ended else _ended(value),
        }
        return {key: found for key, found in members.items() if found is not None}


def _ended(value: float | None) -> str:
    return "Failed" if value is None else "Succeeded"


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:123456789012:{kind}/{name}"
