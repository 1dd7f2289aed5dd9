"""The learning rate of each part of the network, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dogbreed.reporting.figure_style import axis, label, layout
from dogbreed.reporting.palette import LIGHT

if TYPE_CHECKING:
    import plotly.graph_objects as go

Points = Sequence[tuple[int, float]]
COLOURS = tuple(LIGHT[name] for name in ("main", "second", "third", "fourth"))
DASHES = ("solid", "dash", "dot", "dashdot")
SHOWN = 400  # points of a line: more cannot be told apart on a screen
APART = 20  # a part whose highest rate is this many times lower would lie flat on a linear axis


def learning_rate_schedule(learning_rates: Mapping[str, Points]) -> go.Figure:
    """A line for each part; the axis is logarithmic where the parts' rates are far apart."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=layout(hovermode="x unified"))
    logarithmic = _far_apart(learning_rates)
    for number, (part, points) in enumerate(learning_rates.items()):
        shown = thinned(points)
        figure.add_scatter(
            x=[step for step, _ in shown],
            y=[rate if rate > 0 or not logarithmic else None for _, rate in shown],
            name=label(part),
            mode="lines",
            line={"color": COLOURS[number % 4], "dash": DASHES[number % 4], "width": 2},
            hovertemplate="%{y:.2~g}",
        )
    figure.update_xaxes(**axis("step", hoverformat=",d", unifiedhovertitle={"text": "step %{x}"}))
    kind: dict[str, Any] = {"type": "log", "dtick": 1} if logarithmic else {"rangemode": "tozero", "nticks": 6}
    return figure.update_yaxes(**axis(exponentformat="power", **kind)).update_layout(showlegend=True)


def thinned(points: Points) -> Points:
    """At most `SHOWN` of the points, evenly spread, the first and the last among them."""
    if len(points) <= SHOWN:
        return points
    return [points[round(number * (len(points) - 1) / (SHOWN - 1))] for number in range(SHOWN)]


def _far_apart(learning_rates: Mapping[str, Points]) -> bool:
    peaks = [max((rate for _, rate in points), default=0.0) for points in learning_rates.values()]
    return min(peaks) > 0 and max(peaks) > APART * min(peaks)
