"""What a rule says of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

# The words of SageMaker's API (RuleEvaluationStatus), and one more: a rule that cannot be asked has found nothing out.
Status = Literal["InProgress", "NoIssuesFound", "IssuesFound", "Error", "Stopped", "NotApplicable"]
# What a reader has to see first stands first.
ORDER: tuple[Status, ...] = ("Error", "IssuesFound", "Stopped", "InProgress", "NotApplicable", "NoIssuesFound")


@dataclass(frozen=True)
class Finding:
    """The answer of a rule.

    Attributes:
        rule: its name.
        status: one of `ORDER`.
        reason: a sentence: what was seen, or why nothing can be said.
        step: the step of its mode (training steps, or evaluation steps) at which it was seen first, from 0.
        tensor: the name of what was seen.
        value: the number that was compared.
        threshold: with what it was compared.
        advice: what to change.
    """

    rule: str
    status: Status
    reason: str
    step: int | None = None
    tensor: str | None = None
    value: float | None = None
    threshold: float | None = None
    advice: str = ""


def issue(
    reason: str,
    *,
    step: int | None = None,
    tensor: str | None = None,
    value: float | None = None,
    threshold: float | None = None,
) -> Finding:
    """An issue, not yet named: the table of rules adds name and advice."""
    return Finding("", "IssuesFound", reason, step, tensor, value, threshold)


def no_issue(reason: str, *, value: float | None = None, threshold: float | None = None) -> Finding:
    """Enough was seen, and nothing is wrong."""
    return Finding("", "NoIssuesFound", reason, value=value, threshold=threshold)


def not_applicable(reason: str) -> Finding:
    """Too little was seen, or what the rule is about does not exist in this run."""
    return Finding("", "NotApplicable", reason)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors, then issues, then what could not be asked, then what is fine."""
    return sorted(findings, key=lambda finding: ORDER.index(finding.status))
