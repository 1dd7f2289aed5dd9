"""What SageMaker's hosted rules say of a job: those that could not judge come first, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What was not judged is worse than what was judged bad: it looks like nothing at all.
ORDER = ("Error", "IssuesFound", "Stopped", "Stopping", "InProgress", "NoIssuesFound")
RUNNING = ("InProgress", "Stopping")
MEMBERS = ("DebugRuleEvaluationStatuses", "ProfilerRuleEvaluationStatuses")


@dataclass(frozen=True)
class RuleStatus:
    """Of one rule; `reason` is empty where the service gives none."""

    name: str
    status: str
    reason: str = ""

    def __str__(self) -> str:
        return f"rule {self.name}: {self.status}" + (f": {self.reason}" if self.reason else "")


def rule_statuses(description: Mapping[str, Any]) -> list[RuleStatus]:
    """Of a job as it was described, the worst first.

    >>> said = {"A": "InProgress", "B": "Error"}
    >>> rules = [{"RuleConfigurationName": name, "RuleEvaluationStatus": said[name]} for name in said]
    >>> [str(status) for status in rule_statuses({"DebugRuleEvaluationStatuses": rules})]
    ['rule B: Error', 'rule A: InProgress']
    """
    found = [
        RuleStatus(
            one["RuleConfigurationName"],
            one.get("RuleEvaluationStatus", "InProgress"),
            " ".join(one.get("StatusDetails", "").split()),
        )
        for member in MEMBERS
        for one in description.get(member) or ()
    ]
    return sorted(found, key=lambda rule: (ORDER.index(rule.status) if rule.status in ORDER else -1, rule.name))


def are_running(statuses: Sequence[RuleStatus]) -> bool:
    """Whether a rule may still change its mind."""
    return any(rule.status in RUNNING for rule in statuses)


def summary(statuses: Sequence[RuleStatus]) -> list[str]:
    """A line for each rule, and one that counts those that did not judge."""
    failed = sum(rule.status == "Error" for rule in statuses)
    count = [f"{failed} of {len(statuses)} rules ended in Error: they judged nothing."] if failed else []
    return [*count, *map(str, statuses)]
