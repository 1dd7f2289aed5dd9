"""How the status of a rule is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dogbreed.debugging.finding import Finding, worst_first


@dataclass(frozen=True)
class Status:
    """A status in a word, as a sign, in colours; what one and several rules of it did; whether they are folded."""

    word: str
    sign: str
    kind: str
    one: str
    several: str
    folded: bool = False


STATUSES = {
    "Error": Status("Error", "\N{MULTIPLICATION X}", "error", "ended in an error", "ended in an error"),
    "IssuesFound": Status("Issue found", "!", "issue", "found an issue", "found an issue"),
    "Stopped": Status("Stopped", "\N{BLACK SQUARE}", "issue", "was stopped", "were stopped"),
    "InProgress": Status("In progress", "\N{HORIZONTAL ELLIPSIS}", "open", "is still at work", "are still at work"),
    "NotApplicable": Status("Not applicable", "\N{EN DASH}", "open", "does not apply", "do not apply", folded=True),
    "NoIssuesFound": Status("No issue", "\N{CHECK MARK}", "fine", "found no issue", "found no issue", folded=True),
}


def status(finding: Finding) -> Status:
    """How the status of a finding is written."""
    return STATUSES[finding.status]


def summary(findings: Sequence[Finding]) -> str:
    """What the rules found, in a sentence; empty where none was asked.

    >>> summary([Finding("AllZero", "NoIssuesFound", ""), Finding("Overfit", "IssuesFound", "")])
    'Of 2 rules 1 found an issue and 1 found no issue.'
    """
    if not findings:
        return ""
    counts = Counter(finding.status for finding in findings)
    said = {finding.status: status(finding) for finding in worst_first(findings)}
    *others, last = (f"{counts[key]} {how.one if counts[key] == 1 else how.several}" for key, how in said.items())
    found = f"{', '.join(others)} and {last}" if others else last
    return f"Of {len(findings)} {'rule' if len(findings) == 1 else 'rules'} {found}."
