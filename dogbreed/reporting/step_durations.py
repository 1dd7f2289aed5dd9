"""How long each step took, and which took far longer than the others of their kind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dogbreed.reporting.figure_style import axis, hover, label, layout
from dogbreed.reporting.log_axis import log_axis
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.profiler_contents import Phase, StepTime
from dogbreed.reporting.run_wording import duration
from dogbreed.reporting.thinning import SHOWN, kept
from dogbreed.reporting.time_axis import TimeAxis

if TYPE_CHECKING:
    import plotly.graph_objects as go

DEVIATIONS = 3  # above the mean, as the rule StepOutlier has it
ENOUGH = 20  # steps of a kind, below which nothing is called an outlier
FAR = 20  # times the middle, from which the axis is logarithmic
COLOURS = tuple(LIGHT[name] for name in ("main", "third", "fourth"))
Steps = Sequence[StepTime]


def outliers(steps: Steps) -> list[StepTime]:
    """The steps longer than the mean and three standard deviations.

    >>> outliers([StepTime(n, n, 9.0 if n == 30 else 1.0) for n in range(40)])
    [StepTime(step=30, at=30, seconds=9.0)]
    """
    if len(steps) < ENOUGH:
        return []
    seconds = np.asarray([step.seconds for step in steps])
    bound = float(seconds.mean() + DEVIATIONS * seconds.std())
    return [step for step in steps if step.seconds > bound]


def step_durations(kinds: Mapping[str, Steps], phases: Sequence[Phase], clock: TimeAxis) -> go.Figure:
    """A point for each step, by the time at which it began; outliers are marked.

    Args:
        kinds: the steps of each kind.
        phases: what the run did, shown behind.
        clock: the unit of the times.
    """
    import plotly.graph_objects as go

    figure = go.Figure(layout=layout(showlegend=True, hovermode="closest", shapes=clock.shades(phases)))
    for number, (kind, steps) in enumerate(kinds.items()):
        shown = [steps[place] for place in kept([step.seconds for step in steps])]
        figure.add_scatter(**_points(kind, shown, clock), **_dots(COLOURS[number % 3], 4, "circle"), name=label(kind))
    marked = [(kind, step) for kind, steps in kinds.items() for step in outliers(steps)]
    longest = sorted(marked, key=lambda entry: -entry[1].seconds)[:SHOWN]
    if longest:
        figure.add_scatter(**_outliers(longest, clock))
    figure.update_layout(legend_itemsizing="constant").update_xaxes(**clock.axis())
    return figure.update_yaxes(**_seconds([step.seconds for steps in kinds.values() for step in steps]))


def _points(kind: str, steps: Steps, clock: TimeAxis) -> dict[str, Any]:
    return {
        "x": [clock(step.at) for step in steps],
        "y": [step.seconds if math.isfinite(step.seconds) else None for step in steps],
        "hovertext": [hover(sentence(kind, step)) for step in steps],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "mode": "markers",
    }


def sentence(kind: str, step: StepTime) -> str:
    """What a point says.

    >>> sentence("training", StepTime(1312, 60.0, 0.25))
    'training step 1,312: 250 ms'
    """
    return f"{kind} step {step.step:,}: {duration(step.seconds)}"


def _dots(colour: str, size: int, symbol: str) -> dict[str, Any]:
    return {"marker": {"color": colour, "size": size, "symbol": symbol}}


def _outliers(marked: Sequence[tuple[str, StepTime]], clock: TimeAxis) -> dict[str, Any]:
    told = [_points(kind, [step], clock) for kind, step in marked]
    points = {key: [points[key][0] for points in told] for key in ("x", "y", "hovertext")}
    look = _dots(LIGHT["second"], 9, "diamond-open")
    look["marker"]["line"] = {"color": LIGHT["second"], "width": 2}
    return {**told[0], **points, **look, "name": "outliers"}


def _seconds(values: Sequence[float]) -> dict[str, Any]:
    usable = [value for value in values if value > 0 and math.isfinite(value)]
    written = {"ticksuffix": "s", "exponentformat": "SI"}
    if usable and max(usable) > FAR * float(np.median(usable)):
        return log_axis(usable) | written
    return axis(rangemode="tozero", nticks=6, **written)
