"""What is new of a tuning job: its trials, one line for each change, and their table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from launch.accounts.account import Account
from launch.jobs.cost import an_hour, job_resources
from launch.jobs.job_kinds import ENDED
from launch.jobs.outcome import Outcome, reason
from launch.jobs.trial_table import Trial, line, table, trial, trials
from launch.requests.prices import ESTIMATE


class TuningWatch:
    """Shows what has changed at each look.

    Args:
        account: of the job.
        name: of the job.
        show: takes a line.
        clock: not needed here.
    """

    def __init__(self, account: Account, name: str, show: Callable[[str], None], clock: Callable[[], float]) -> None:
        del clock
        self.client, self.name, self.show = account.client("sagemaker"), name, show
        self.status = ""
        self.seen: dict[str, Trial] = {}

    def look(self, description: Mapping[str, Any]) -> Outcome | None:
        """Show what is new; the outcome once the job has ended.

        Raises:
            CloudError: the trials cannot be listed.
        """
        status = str(description["HyperParameterTuningJobStatus"])
        found = trials(self.client, self.name)
        for one in found:
            if self.seen.get(one.name) != one:
                self.show(line(one))
        self.seen = {one.name: one for one in found}
        counted = f"{status}: {counts(description)}"
        if counted != self.status:
            self.status = counted
            self.show(counted)
        if status not in ENDED:
            return None
        best = best_trial(description)
        for row in closing(description, found, best):
            self.show(row)
        return Outcome(self.name, "tuning", status, reason(description), description, best)


def counts(description: Mapping[str, Any]) -> str:
    """How many trials are in which state.

    >>> counts({"TrainingJobStatusCounters": {"Completed": 3, "InProgress": 2, "NonRetryableError": 1}})
    '3 completed, 2 running, 1 failed, 0 stopped'
    """
    found = description.get("TrainingJobStatusCounters") or {}
    failed = found.get("NonRetryableError", 0) + found.get("RetryableError", 0)
    numbers = {
        "completed": found.get("Completed", 0),
        "running": found.get("InProgress", 0),
        "failed": failed,
        "stopped": found.get("Stopped", 0),
    }
    return ", ".join(f"{number} {word}" for word, number in numbers.items())


def best_trial(description: Mapping[str, Any]) -> Trial | None:
    """The one that the service prefers; None where no trial has an objective."""
    found = description.get("BestTrainingJob")
    best = trial(found) if found else None
    return best if best and best.objective is not None else None


def closing(description: Mapping[str, Any], found: Sequence[Trial], best: Trial | None) -> Iterator[str]:
    """The table, the best, and what all of it has cost."""
    objective = description.get("HyperParameterTuningJobConfig", {}).get("HyperParameterTuningJobObjective", {})
    yield from table(found, minimize=objective.get("Type") != "Maximize")
    yield f"best: {line(best)}" if best else "No trial has an objective: look at the reasons above."
    cost = tuning_cost(description, sum(one.seconds for one in found))
    if cost is not None:
        yield f"about ${cost:.2f} for the trials' hours, {ESTIMATE}"


def tuning_cost(description: Mapping[str, Any], seconds: float) -> float | None:
    """In US dollars, for the time of all trials; None where the type has no known price."""
    resources = job_resources(description.get("TrainingJobDefinition", {}))
    price = an_hour(resources)
    return None if price is None else price * seconds / 3600
