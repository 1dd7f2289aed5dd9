"""What the learning-rate finder saw: the loss at each rate of a short run, and the rate it suggests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dogbreed.reporting.contents import RateSearch
from dogbreed.reporting.figure_style import axis, layout
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.wording import rate

if TYPE_CHECKING:
    import plotly.graph_objects as go


def rate_curve(search: RateSearch) -> go.Figure:
    """Loss over the learning rate; losses that exploded are cut off above."""
    import plotly.graph_objects as go

    points = [point for point in zip(search.rates, search.losses, strict=True) if math.isfinite(point[1])]
    figure = go.Figure(layout=layout(showlegend=False))
    figure.add_scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode="lines",
        line={"color": LIGHT["main"], "width": 2},
        hovertemplate="rate %{x:.2~g}: loss %{y:.3f}<extra></extra>",
    )
    figure.update_xaxes(
        **axis("learning rate", type="log", dtick=_decades(search), tickangle=0, exponentformat="power")
    )
    figure.update_yaxes(**axis("loss", range=_range([y for _, y in points]), nticks=7))
    if search.suggestion is not None and points:
        suggestion = search.suggestion
        _mark(figure, suggestion, min(points, key=lambda point: abs(point[0] - suggestion))[1], search.rates)
    return figure


def _range(losses: list[float]) -> list[float] | None:
    if not losses:
        return None
    low, first = min(losses), losses[0]
    margin = 0.1 * (max(first - low, 0.05 * abs(first)) or 1.0)
    return [low - margin, max(first, low) + 4 * margin]


def _decades(search: RateSearch) -> int:
    """Powers of ten from a tick to the next, so that they stand apart on a phone."""
    return 1 if max(search.rates) / min(search.rates) < 1e5 else 2


def _mark(figure: go.Figure, suggestion: float, loss: float, rates: Sequence[float]) -> None:
    # A falling curve leaves room above on its right and below on its left.
    right = suggestion > math.sqrt(rates[0] * rates[-1])
    figure.add_scatter(
        x=[suggestion],
        y=[loss],
        mode="markers",
        marker={"color": LIGHT["second"], "size": 11, "symbol": "diamond"},
        hovertemplate=f"suggested rate {rate(suggestion)}<extra></extra>",
    )
    figure.add_annotation(
        x=math.log10(suggestion),
        y=loss,
        text=f"suggested {rate(suggestion)}",
        showarrow=False,
        xanchor="right" if right else "left",
        yanchor="top" if right else "bottom",
        xshift=-9 if right else 9,
        yshift=-4 if right else 4,
        font={"color": LIGHT["ink"]},
        bgcolor=LIGHT["surface"],
    )
