"""How following a job ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from launch.jobs.trial_table import Trial

DETACHED, VANISHED = "Detached", "Vanished"
SENTENCES = {
    "Failed": "The {kind} job {name} failed: {reason}",
    "Stopped": "The {kind} job {name} was stopped{because}; the same command begins its next attempt.",
    VANISHED: "The {kind} job {name} is there no more: somebody has deleted it; the same command begins another.",
}


@dataclass(frozen=True)
class Outcome:
    """Of a job that was followed.

    Attributes:
        name: of the job.
        kind: training, tuning or transform.
        status: Completed, Failed or Stopped as the service says; Detached where the job goes on; Vanished.
        reason: the service's, in one line; else empty.
        description: the service's last; empty where there was none.
        best: of a tuning job's trials; None where none has an objective.
    """

    name: str
    kind: str
    status: str
    reason: str = ""
    description: Mapping[str, Any] = field(default_factory=dict)
    best: Trial | None = None

    @property
    def succeeded(self) -> bool:
        """Whether there is something to fetch."""
        return self.status == "Completed"

    @property
    def error(self) -> str:
        """What went wrong, in one line; empty where nothing did.

        >>> Outcome("dogs", "training", "Failed", "AlgorithmError").error
        'The training job dogs failed: AlgorithmError'
        """
        because = f" ({self.reason})" if self.reason else ""
        sentence = SENTENCES.get(self.status, "")
        return sentence.format(kind=self.kind, name=self.name, reason=self.reason or "no reason given", because=because)


# Why a job is stopped by the service, which gives no other reason.
LIMITS = {
    "MaxRuntimeExceeded": "it has run for job.max_run_seconds",
    "MaxWaitTimeExceeded": "it has lasted for job.max_wait_seconds",
}


def reason(description: Mapping[str, Any]) -> str:
    """Why a job failed or was stopped, in one line; empty where the service does not say.

    >>> reason({"SecondaryStatus": "MaxRuntimeExceeded"})
    'it has run for job.max_run_seconds'
    """
    given = description.get("FailureReason") or LIMITS.get(str(description.get("SecondaryStatus")), "")
    return " ".join(str(given).split())


def attach_command(name: str, region: str, kind: str = "training") -> str:
    """What comes back to a job.

    >>> attach_command("dogs", "eu-west-1")
    'python launch/sagemaker.py attach=dogs job.region=eu-west-1'
    """
    # Where photos and table are stands in the command alone.
    attach = f"python launch/sagemaker.py attach={name} job.region={region}"
    return "the same command" if kind == "transform" else attach
