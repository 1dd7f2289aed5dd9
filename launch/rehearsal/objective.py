"""The metrics of a job, read off its log as SageMaker reads them: with the request's own regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

GOES_BY = ", and the search goes by it"


def read_metrics(lines: Iterable[str], definitions: Iterable[Mapping[str, str]]) -> dict[str, list[float]]:
    """Every value of every metric, in the order of the log.

    Args:
        lines: of the log.
        definitions: `MetricDefinitions` of the request.

    >>> read_metrics(["loss=2 ", "loss=1.5 "], [{"Name": "loss", "Regex": "loss=([0-9.]+) "}])
    {'loss': [2.0, 1.5]}
    """
    patterns = {item["Name"]: re.compile(item["Regex"]) for item in definitions}
    lines = list(lines)
    return {
        name: [float(found[1]) for line in lines if (found := pattern.search(line))]
        for name, pattern in patterns.items()
    }


def metric_faults(values: Mapping[str, Sequence[float]], objective: str | None) -> list[str]:
    """A sentence for each metric that never appeared; for the one that a search goes by first.

    Args:
        values: of `read_metrics`.
        objective: None where there is no search.
    """
    absent = sorted((name for name, found in values.items() if not found), key=lambda name: name != objective)
    return [
        f"The metric {name} never appeared in the log{GOES_BY if name == objective else ''}: its regular expression in "
        "MetricDefinitions fits no line; compare it with the line of an epoch."
        for name in absent
    ]
