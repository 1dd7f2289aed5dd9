"""A rule: what it asks, what it makes of that, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dogbreed.debugging.finding import Finding
from dogbreed.debugging.parameters import chosen, keyword_defaults
from dogbreed.profiling.readings import Readings
from dogbreed.profiling.rules.seen import NotAskedError, Seen


@dataclass(frozen=True)
class Verdict:
    """A finding, and what it rests on."""

    finding: Finding
    seen: Seen


@dataclass(frozen=True)
class Rule:
    """One line of the table.

    Attributes:
        check: the pure function. Its keyword-only arguments are the parameters of the rule.
        advice: what to change where there is an issue.
    """

    check: Callable[..., Seen]
    advice: str

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters with their defaults."""
        return keyword_defaults(self.check)

    def settings(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with those given.

        Args:
            name: of the rule.
            given: parameters.

        Raises:
            ConfigError: there is no such parameter, or its value cannot be used.
        """
        return chosen(name, self.parameters, given)

    def __call__(self, name: str, readings: Readings, settings: Mapping[str, Any]) -> Verdict:
        """The rule's answer; one that fails says so, and stops nothing.

        Args:
            name: of the rule.
            readings: of one machine.
            settings: all parameters.
        """
        try:
            seen = self.check(readings, **settings)
        except NotAskedError as reason:
            return _nothing_seen(Finding(name, "NotApplicable", f"{str(reason)[0].upper()}{str(reason)[1:]}."))
        except Exception as error:
            return _nothing_seen(Finding(name, "Error", f"{type(error).__name__}: {error}"))
        return Verdict(_finding(name, seen, self.advice), seen)


def _nothing_seen(finding: Finding) -> Verdict:
    return Verdict(finding, Seen([], 0))


def _finding(name: str, seen: Seen, advice: str) -> Finding:
    violated = [observation for observation in seen.observations if observation.violated]
    first = (violated or list(seen.observations))[0]
    return Finding(
        name,
        "IssuesFound" if violated else "NoIssuesFound",
        " ".join(f"{observation.sentence}." for observation in violated or seen.observations),
        value=first.value,
        threshold=first.threshold,
        advice=advice if violated else "",
    )
