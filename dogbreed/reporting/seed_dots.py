"""The default settings beside the best ones, over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING

from dogbreed.reporting.figure_style import axis, layout
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.wording import number

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS = (LIGHT["muted"], LIGHT["main"])
SPREAD, HALF_LINE = 0.12, 0.28  # of the distance between two columns


def seed_dots(columns: Mapping[str, Mapping[int, float]], title: str) -> go.Figure:
    """A column for each settings, in it a dot for each seed and a line at their mean.

    Args:
        columns: at most two settings by name, each the metric by seed; one without a number is left out.
        title: of the axis.
    """
    import plotly.graph_objects as go

    drawn = {name: finite for name, seeds in columns.items() if (finite := finite_seeds(seeds))}
    figure = go.Figure(layout=layout(showlegend=False, margin={"l": 16, "r": 20, "t": 24, "b": 14}))
    for place, (colour, seeds) in enumerate(zip(COLOURS, drawn.values(), strict=False)):
        _add_mean(figure, place, fmean(seeds.values()), colour)
        _add_dots(figure, place, seeds, colour)
    figure.update_xaxes(
        **axis(
            range=[-0.6, len(drawn) - 0.4],
            tickvals=list(range(len(drawn))),
            ticktext=list(drawn),
            showgrid=False,
            tickfont={"size": 14, "color": LIGHT["ink"]},
        )
    )
    return figure.update_yaxes(**axis(title, nticks=6))


def finite_seeds(seeds: Mapping[int, float]) -> dict[int, float]:
    """The seeds whose metric is a number, in their order."""
    return {seed: seeds[seed] for seed in sorted(seeds) if math.isfinite(seeds[seed])}


def _add_mean(figure: go.Figure, place: int, mean: float, colour: str) -> None:
    figure.add_scatter(
        x=[place - HALF_LINE, place + HALF_LINE],
        y=[mean, mean],
        mode="lines",
        line={"color": colour, "width": 2},
        hovertext=[f"mean {number(mean)}"] * 2,
        hoverinfo="text",
    )
    figure.add_annotation(
        x=place + HALF_LINE, y=mean, text=number(mean), showarrow=False, xanchor="left", font={"color": LIGHT["ink"]}
    )


def _add_dots(figure: go.Figure, place: int, seeds: Mapping[int, float], colour: str) -> None:
    middle = (len(seeds) - 1) / 2
    figure.add_scatter(
        # Beside one another, as two seeds may come to the same.
        x=[place + SPREAD * (n - middle) / max(middle, 1) for n in range(len(seeds))],
        y=list(seeds.values()),
        mode="markers",
        marker={"color": colour, "size": 10, "line": {"color": LIGHT["surface"], "width": 1.5}},
        hovertext=[f"seed {seed}: {number(value)}" for seed, value in seeds.items()],
        hoverinfo="text",
    )
