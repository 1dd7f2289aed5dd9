"""What the rules said, as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dogbreed.atomic import write_text
from dogbreed.debugging.finding import worst_first
from dogbreed.debugging.rules_file import write_findings
from dogbreed.profiling.layout import FINDINGS_FILE, RULE_FOLDER
from dogbreed.profiling.rule import Verdict


def write_reports(folder: Path, verdicts: Mapping[str, Verdict], settings: Mapping[str, Mapping[str, Any]]) -> None:
    """`rules.json`, the worst first, and a file a rule as SageMaker's ProfilerReport leaves them.

    Args:
        folder: of the profiler.
        verdicts: by rule.
        settings: the rules' parameters.

    Raises:
        OSError: no space, no permission, a failing disk.
    """
    write_findings(folder / FINDINGS_FILE, worst_first(verdict.finding for verdict in verdicts.values()))
    for name, verdict in verdicts.items():
        report = rule_report(verdict, settings.get(name, {}))
        write_text(folder / RULE_FOLDER / f"{name}.json", json.dumps(report, indent=2))


def rule_report(verdict: Verdict, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of one rule, under SageMaker's names; `Details` are our own.

    Args:
        verdict: of the rule.
        parameters: of the rule.
    """
    finding, seen = verdict.finding, verdict.seen
    violations = sum(observation.violated for observation in seen.observations)
    return {
        "RuleTriggered": int(finding.status == "IssuesFound"),
        "Violations": violations,
        "Details": {
            "status": finding.status,
            "reason": finding.reason,
            "advice": finding.advice,
            "observations": [asdict(observation) for observation in seen.observations],
            "statistics": {name: dict(figures) for name, figures in seen.details.items()},
        },
        "Datapoints": seen.datapoints,
        "RuleParameters": "\n".join(f"{name}:{_plain(value)}" for name, value in parameters.items()),
    }


def _plain(value: Any) -> str:
    """As SageMaker writes it: 50, not 50.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)
