"""What a rule said of a run, as a row of a table, and how its status is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RuleRow:
    """The answer of a rule.

    Attributes:
        rule: its name.
        status: a key of `STATUSES`; any other is shown as it is.
        reason: a sentence: what was seen, or why nothing can be said.
        step: at which it was seen first, from 0.
        tensor: the name of what was seen.
        value: the number that was compared.
        threshold: with what it was compared.
        advice: what to change; shown where there is an issue.
    """

    rule: str
    status: str
    reason: str
    step: int | None = None
    tensor: str | None = None
    value: float | None = None
    threshold: float | None = None
    advice: str = ""


@dataclass(frozen=True)
class Status:
    """A status in a word, as a sign, in colours; what one and several rules of it did; whether they are folded."""

    word: str
    sign: str
    kind: str
    one: str
    several: str
    folded: bool = False


# The worst first.
STATUSES = {
    "Error": Status("Error", "\N{MULTIPLICATION X}", "error", "ended in an error", "ended in an error"),
    "IssuesFound": Status("Issue found", "!", "issue", "found an issue", "found an issue"),
    "Stopping": Status("Stopping", "\N{BLACK SQUARE}", "issue", "is being stopped", "are being stopped"),
    "Stopped": Status("Stopped", "\N{BLACK SQUARE}", "issue", "was stopped", "were stopped"),
    "InProgress": Status("In progress", "\N{HORIZONTAL ELLIPSIS}", "open", "is still at work", "are still at work"),
    "NotApplicable": Status("Not applicable", "\N{EN DASH}", "open", "does not apply", "do not apply", folded=True),
    "NoIssuesFound": Status("No issue", "\N{CHECK MARK}", "fine", "found no issue", "found no issue", folded=True),
}
ORDER = tuple(STATUSES)


def status(row: RuleRow) -> Status:
    """How the status of a row is written."""
    return STATUSES.get(row.status) or Status(
        row.status, "?", "error", f"ended as {row.status}", f"ended as {row.status}"
    )


def worst_first(rules: Iterable[RuleRow]) -> list[RuleRow]:
    """The rows in the order of `STATUSES`, those of other statuses first, and else as they came."""
    return sorted(rules, key=lambda row: ORDER.index(row.status) if row.status in STATUSES else -1)


def summary(rules: Sequence[RuleRow]) -> str:
    """What the rules found, in a sentence; empty where none was asked.

    >>> summary([RuleRow("AllZero", "NoIssuesFound", ""), RuleRow("Overfit", "IssuesFound", "")])
    'Of 2 rules 1 found an issue and 1 found no issue.'
    """
    if not rules:
        return ""
    counts = Counter(row.status for row in rules)
    said = {row.status: status(row) for row in worst_first(rules)}
    *others, last = (f"{counts[key]} {how.one if counts[key] == 1 else how.several}" for key, how in said.items())
    found = f"{', '.join(others)} and {last}" if others else last
    return f"Of {len(rules)} {'rule' if len(rules) == 1 else 'rules'} {found}."
