"""What is new of a training job: its status, its log, its hosted rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.account import Account
from launch.accounts.cloud_errors import PassingCloudError
from launch.jobs.cost import cost_line
from launch.jobs.job_kinds import ENDED
from launch.jobs.logs import JobLog
from launch.jobs.outcome import Outcome, reason
from launch.jobs.rule_statuses import RuleStatus, are_running, rule_statuses, summary
from launch.jobs.status_line import StatusLine

# In these a job says nothing by itself.
SILENT = ("Starting", "Pending", "Downloading", "LaunchingMLInstances", "PreparingTrainingStack", "Uploading")
# How long rules may take for their last words after the job.
RULES_AFTER = 600.0  # seconds


class TrainingWatch:
    """Shows what has changed at each look.

    Args:
        account: of the job.
        name: of the job.
        show: takes a line.
        clock: in seconds.
    """

    def __init__(self, account: Account, name: str, show: Callable[[str], None], clock: Callable[[], float]) -> None:
        self.name, self.show, self.clock = name, show, clock
        self.log: JobLog | None = JobLog(account.client("logs"), name)
        self.status = StatusLine(show, clock)
        self.rules: dict[str, RuleStatus] = {}
        self.looks = 0
        self.ended: float | None = None

    def look(self, description: Mapping[str, Any]) -> Outcome | None:
        """Show what is new; the outcome once there is nothing to wait for.

        Raises:
            PassingCloudError: the log cannot be read now.
        """
        self.looks += 1
        self._show_status(description)
        self._show_log()
        rules = rule_statuses(description)
        self._show_rules(rules)
        if description["TrainingJobStatus"] not in ENDED:
            return None
        if not self._is_last_look(rules):
            return None
        for line in closing(description, rules):
            self.show(line)
        return Outcome(self.name, "training", description["TrainingJobStatus"], reason(description), description)

    def _is_last_look(self, rules: list[RuleStatus]) -> bool:
        if self.ended is None:
            self.ended = self.clock()
            # A job that has just ended may have lines on their way.
            return self.looks == 1 and not are_running(rules)
        return not are_running(rules) or self.clock() - self.ended > RULES_AFTER

    def _show_status(self, description: Mapping[str, Any]) -> None:
        status, message = current(description)
        said = f"{status}: {message}" if message else status
        self.status.say(said, again=status in SILENT)

    def _show_log(self) -> None:
        if self.log is None:
            return
        try:
            for line in self.log.new_lines():
                self.show(line)
        except PassingCloudError:
            raise
        except CloudError as error:
            # The job matters more than its log.
            self.log = None
            self.show(f"The log cannot be shown: {error}")

    def _show_rules(self, rules: list[RuleStatus]) -> None:
        changed = [rule for rule in rules if self.rules.get(rule.name) != rule]
        self.rules |= {rule.name: rule for rule in changed}
        for rule in changed:
            self.show(str(rule))


def current(description: Mapping[str, Any]) -> tuple[str, str]:
    """The status in detail, and what the service says of it.

    >>> transitions = [{"Status": "Starting", "StatusMessage": "Preparing the instances"}]
    >>> current({"SecondaryStatus": "Starting", "SecondaryStatusTransitions": transitions})
    ('Starting', 'Preparing the instances')
    """
    transitions = description.get("SecondaryStatusTransitions") or [{}]
    status = description.get("SecondaryStatus") or description.get("TrainingJobStatus", "")
    return str(status), " ".join(str(transitions[-1].get("StatusMessage", "")).split())


def closing(description: Mapping[str, Any], rules: list[RuleStatus]) -> Iterator[str]:
    """Rules, last metrics and cost of a job that has ended."""
    yield from summary(rules)
    metrics = description.get("FinalMetricDataList") or ()
    if metrics:
        yield "last metrics: " + ", ".join(f"{one['MetricName']} {one['Value']:.5g}" for one in metrics)
    cost = cost_line(description)
    if cost:
        yield cost
