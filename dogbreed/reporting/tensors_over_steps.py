"""A positive number of each tensor over the steps: lines for a few tensors, a map for many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dogbreed.reporting.debugger_contents import Points
from dogbreed.reporting.figure_style import axis, layout
from dogbreed.reporting.log_axis import log_axis
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.tensor_map import tensor_map
from dogbreed.reporting.tensor_names import short_names
from dogbreed.reporting.thinning import thinned

if TYPE_CHECKING:
    import plotly.graph_objects as go

LINES = 6  # tensors up to which each has a line
COLOURS = tuple(LIGHT[name] for name in ("main", "second", "third", "fourth"))
DASHES = ("solid", "dash")


def tensors_over_steps(tensors: Mapping[str, Points], usual: float | None = None) -> go.Figure:
    """A figure with a logarithmic axis, or logarithmic colours.

    Args:
        tensors: points (step, value) of each tensor, the first of the network first.
        usual: a value that is marked; colours tell what lies below it from what lies above.
    """
    if len(tensors) > LINES:
        return tensor_map(tensors, usual)
    return _lines(tensors, usual)


def is_map(tensors: Mapping[str, Points]) -> bool:
    """Whether the tensors are shown as a map."""
    return len(tensors) > LINES


def _lines(tensors: Mapping[str, Points], usual: float | None) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure(layout=layout(hovermode="x unified", showlegend=True))
    for number, (name, points) in enumerate(zip(short_names(list(tensors)), tensors.values(), strict=True)):
        figure.add_scatter(**_line(name, points, number))
    values = [value for points in tensors.values() for _, value in points]
    if usual is not None:
        figure.add_hline(usual, line={"color": LIGHT["muted"], "width": 1, "dash": "dot"})
    figure.update_xaxes(
        **axis("training step", tickformat=",~f", hoverformat=",.0f", unifiedhovertitle={"text": "step %{x}"})
    )
    return figure.update_yaxes(**log_axis(values if usual is None else [*values, usual]))


def _line(name: str, points: Points, number: int) -> dict[str, Any]:
    shown = thinned(points)
    return {
        "x": [step for step, _ in shown],
        "y": [value if value > 0 and math.isfinite(value) else None for _, value in shown],
        "name": name,
        "mode": "lines+markers" if len(shown) <= 40 else "lines",
        "line": {"color": COLOURS[number % 4], "dash": DASHES[number // 4 % 2], "width": 2},
        "marker": {"size": 5},
        "hovertemplate": "%{y:.2~g}",
    }
