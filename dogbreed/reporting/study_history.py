"""Optuna's history of a search in the page's look: the metric of each trial, and the best so far."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from dogbreed.reporting.figure_style import axis, layout
from dogbreed.reporting.log_axis import log_axis
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.wording import number

if TYPE_CHECKING:
    import plotly.graph_objects as go

TICKS = 12  # of the axis of trials, at most
FAR = 50  # a value this many times above the middle would press the others to the axis


def study_history(drawn: go.Figure, title: str) -> go.Figure:
    """The figure of `optuna.visualization.plot_optimization_history`, restyled.

    Args:
        drawn: by Optuna: markers, then the line of the best.
        title: of the metric's axis.
    """
    import plotly.graph_objects as go

    points, best = drawn.data[:2]
    figure = go.Figure(layout=layout(showlegend=True, hovermode="closest"))
    figure.add_scatter(
        x=list(best.x),
        y=[value if math.isfinite(value) else None for value in best.y],
        name="best so far",
        mode="lines",
        line={"color": LIGHT["second"], "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=list(points.x),
        y=[value if math.isfinite(value) else None for value in points.y],
        name="trials",
        mode="markers",
        marker={"color": LIGHT["main"], "size": 8},
        hovertext=[f"trial {x}: {number(y)}" for x, y in zip(points.x, points.y, strict=True)],
        hoverinfo="text",
    )
    last = max(best.x)
    ticks = {"tickformat": ",d", "dtick": math.ceil((last + 1) / TICKS)}
    figure.update_xaxes(**axis("trial", range=[-0.5, last + 0.5], showgrid=False, **ticks))
    return figure.update_yaxes(**value_axis(points.y, title))


def value_axis(values: Iterable[float], title: str) -> dict[str, Any]:
    """An axis of the metric, logarithmic where the highest value is far above the middle one."""
    finite = [value for value in values if math.isfinite(value)]
    if finite and min(finite) > 0 and max(finite) > FAR * float(np.median(finite)):
        return log_axis(finite, title)
    return axis(title, nticks=7)
