"""The profiler's page: where the time of a run went, and how busy its machine was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dogbreed.debugging.finding import worst_first
from dogbreed.reporting.frame import framed
from dogbreed.reporting.machine_load import load_lines, load_over_time
from dogbreed.reporting.outline import Section, outline
from dogbreed.reporting.profiler_contents import Operator, ProfilerContents
from dogbreed.reporting.rule_status import status, summary
from dogbreed.reporting.step_durations import outliers, step_durations
from dogbreed.reporting.time_axis import phase_names, time_axis

if TYPE_CHECKING:
    import plotly.graph_objects as go

OPERATORS = 15  # rows of a table
SECTIONS: tuple[Section[ProfilerContents], ...] = (
    Section("advice", "Advice", lambda contents: bool(contents.advice)),
    Section("rules", "Rules", lambda contents: bool(contents.rules), "No rule was asked."),
    Section(
        "step_parts",
        "Where a step's time goes",
        lambda contents: bool(contents.step_parts),
        "The parts of the steps were not measured.",
    ),
    Section(
        "step_durations",
        "Steps over time",
        lambda contents: any(contents.step_times.values()),
        "The steps were not measured.",
    ),
    Section(
        "machine_load",
        "Machine over time",
        lambda contents: bool(load_lines(contents.load)),
        "The load of the machine was not sampled.",
    ),
    Section(
        "operators",
        "Top operators",
        lambda contents: bool(contents.operators),
        "No step was traced operator by operator.",
    ),
    Section("facts", "Facts", lambda contents: bool(contents.facts)),
)


def render_profiler_page(contents: ProfilerContents) -> str:
    """The page of a run's times and load, the same text for the same contents; it needs no other file."""
    return framed(
        "profiler",
        kind="run",
        title=contents.title,
        summary=summary(contents.rules),
        parts=outline(contents, SECTIONS),
        figures=_plots(contents),
        contents=contents,
        rules=worst_first(contents.rules),
        status=status,
        phases=phase_names(contents.phases),
        outliers={kind: len(outliers(steps)) for kind, steps in contents.step_times.items() if steps},
        by_time=_top(contents.operators, "seconds"),
        by_memory=_top(contents.operators, "size"),
    )


def _top(operators: Sequence[Operator], key: str) -> list[Operator]:
    """The operators of which most is known, the largest first."""
    known = [operator for operator in operators if (getattr(operator, key) or 0) > 0]
    return sorted(known, key=lambda operator: -getattr(operator, key))[:OPERATORS]


def _plots(contents: ProfilerContents) -> dict[str, go.Figure]:
    clock = time_axis(_longest(contents))
    figures = {
        f"load-{name}": load_over_time(lines, contents.phases, clock)
        for name, lines in load_lines(contents.load).items()
    }
    measured = {kind: steps for kind, steps in contents.step_times.items() if steps}
    if measured:
        figures["step-durations"] = step_durations(measured, contents.phases, clock)
    return figures


def _longest(contents: ProfilerContents) -> float:
    """The last time on the page, in seconds."""
    times = [points[-1][0] for lines in load_lines(contents.load).values() for points in lines.values()]
    times += [steps[-1].at for steps in contents.step_times.values() if steps]
    times += [phase.end for phase in contents.phases]
    return max((time for time in times if math.isfinite(time)), default=0.0)
