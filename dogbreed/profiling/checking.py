"""What the rules say of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dogbreed.debugging.finding import ORDER, Finding, worst_first
from dogbreed.profiling.readings import Readings, read
from dogbreed.profiling.rule import Verdict
from dogbreed.profiling.rule_table import REPORT, RULES, rule_settings
from dogbreed.profiling.rules.seen import Seen

Parameters = Mapping[str, Mapping[str, Any]]


def check(
    folder: str | Path, rules: Iterable[str] | None = None, parameters: Parameters | None = None
) -> list[Finding]:
    """Ask rules about what a run has left in its profiler's folder.

    Args:
        folder: as a run's `profiler/`; the run may have been killed.
        rules: their names; None for all.
        parameters: by rule, what differs from the defaults.

    Returns:
        The worst first.

    Raises:
        ConfigError: an unknown rule or parameter.
    """
    names = [REPORT] if rules is None else list(rules)
    given = {name: (parameters or {}).get(name, {}) for name in dict.fromkeys([*names, *(parameters or {})])}
    return worst_first(verdict.finding for verdict in judge(read(folder), given).values())


def judge(machines: Iterable[Readings], given: Parameters) -> dict[str, Verdict]:
    """The verdict of each rule; of several machines, of the one that is worst.

    Args:
        machines: the readings of each.
        given: the rules, with the parameters that differ from the defaults.

    Raises:
        ConfigError: an unknown rule or parameter.
    """
    settings, readings = rule_settings(given), list(machines)
    verdicts = {name: _worst(name, readings, own) for name, own in settings.items()}
    return {**verdicts, **({REPORT: _report(verdicts)} if REPORT in given else {})}


def _worst(name: str, machines: list[Readings], settings: Mapping[str, Any]) -> Verdict:
    verdicts = [_of_machine(name, machine, settings, several=len(machines) > 1) for machine in machines]
    return min(verdicts, key=lambda verdict: ORDER.index(verdict.finding.status))


def _of_machine(name: str, machine: Readings, settings: Mapping[str, Any], *, several: bool) -> Verdict:
    verdict = RULES[name](name, machine, settings)
    reason = f"{machine.system.node}: {verdict.finding.reason}"
    return replace(verdict, finding=replace(verdict.finding, reason=reason)) if several else verdict


def _report(verdicts: Mapping[str, Verdict]) -> Verdict:
    issues = [name for name, verdict in verdicts.items() if verdict.finding.status == "IssuesFound"]
    asked = [name for name, verdict in verdicts.items() if verdict.seen.observations]
    reason = f"{len(issues)} of {len(asked)} rules found an issue{': ' if issues else ''}{', '.join(issues)}."
    status = "IssuesFound" if issues else "NoIssuesFound" if asked else "NotApplicable"
    finding = Finding(REPORT, status, reason, value=float(len(issues)), threshold=0.0)  # type: ignore[arg-type]
    return Verdict(finding, Seen([], len(asked)))
