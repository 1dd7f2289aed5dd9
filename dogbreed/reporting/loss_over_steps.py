"""The loss of a run, step by step, and of its evaluations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dogbreed.reporting.debugger_contents import Points
from dogbreed.reporting.figure_style import axis, layout
from dogbreed.reporting.log_axis import log_axis
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.thinning import thinned

if TYPE_CHECKING:
    import plotly.graph_objects as go

SMOOTHED = 20  # points from which a smoothed line is drawn
WINDOW = 50  # of all points, how many windows the smoothed line has
FAR = 50  # a peak this many times above the middle would press the rest of the line to the axis


def loss_over_steps(train: Points, val: Points) -> go.Figure:
    """Training as a thin line with a smoothed one above it, means of evaluations as markers.

    The axis is logarithmic where the highest loss is far above the middle one. Losses that are not finite are gaps.
    """
    import plotly.graph_objects as go

    figure = go.Figure(layout=layout(hovermode="x unified", showlegend=True))
    smooth = smoothed(train) if len(train) >= SMOOTHED else []
    if train:
        thin = {"width": 1} if smooth else {"width": 2}
        figure.add_scatter(**_line("training", train, LIGHT["bar"] if smooth else LIGHT["main"], thin))
    if smooth:
        figure.add_scatter(**_line("training, smoothed", smooth, LIGHT["main"], {"width": 2}))
    if val:
        figure.add_scatter(**_line("evaluation", val, LIGHT["second"], {"width": 1, "dash": "dot"}) | _markers(val))
    figure.update_xaxes(
        **axis("training step", tickformat=",~f", hoverformat=",.0f", unifiedhovertitle={"text": "step %{x}"})
    )
    return figure.update_yaxes(**_loss_axis(finite([*train, *val])))


def smoothed(points: Points) -> list[tuple[float, float]]:
    """The exponential moving mean without its bias to the beginning (Kingma and Ba, 2014), where there are numbers.

    Its time constant is a fiftieth of the points, 5 at least.
    """
    decay = math.exp(-1 / max(5.0, len(points) / WINDOW))
    mean, weight, found = 0.0, 0.0, []
    for step, value in points:
        if math.isfinite(value):
            mean, weight = decay * mean + (1 - decay) * value, decay * weight + (1 - decay)
            found.append((step, mean / weight))
    return found


def finite(points: Points) -> list[float]:
    """The values that are numbers."""
    return [value for _, value in points if math.isfinite(value)]


def _line(name: str, points: Points, colour: str, line: dict[str, Any]) -> dict[str, Any]:
    shown = thinned(points)
    return {
        "x": [step for step, _ in shown],
        "y": [value if math.isfinite(value) else None for _, value in shown],
        "name": name,
        "mode": "lines",
        "line": {"color": colour, **line},
        "hovertemplate": "%{y:.4~g}",
    }


def _markers(points: Points) -> dict[str, Any]:
    return {"mode": "lines+markers" if len(points) <= 100 else "lines", "marker": {"color": LIGHT["second"], "size": 8}}


def _loss_axis(values: list[float]) -> dict[str, Any]:
    if values and min(values) > 0 and max(values) > FAR * float(np.median(values)):
        return log_axis(values)
    return axis(rangemode="tozero", nticks=7)
