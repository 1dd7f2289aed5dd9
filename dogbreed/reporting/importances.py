"""Optuna's importances of settings in the page's look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dogbreed.reporting.figure_style import axis, hover, label, layout, percent_axis
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.wording import percent

if TYPE_CHECKING:
    import plotly.graph_objects as go


def importances(drawn: go.Figure) -> go.Figure:
    """The figure of `optuna.visualization.plot_param_importances`, restyled: the most important setting on top."""
    import plotly.graph_objects as go

    (bars,) = drawn.data
    # Optuna leaves the order of settings that are as important as each other to chance.
    shares = sorted(zip(bars.x, bars.y, strict=True), key=lambda entry: (entry[0], entry[1]))
    figure = go.Figure(layout=layout(showlegend=False, bargap=0.35, margin={"l": 16, "r": 20, "t": 16, "b": 14}))
    figure.add_bar(
        x=[100 * share for share, _ in shares],
        y=list(range(len(shares))),
        orientation="h",
        marker={"color": LIGHT["main"]},
        text=[percent(share) for share, _ in shares],
        textposition="outside",
        textfont={"color": LIGHT["ink"]},
        cliponaxis=False,
        hovertext=[f"{hover(name)}: {percent(share)}" for share, name in shares],
        hoverinfo="text",
    )
    # Beside the longest bar there is room for its share.
    figure.update_xaxes(**percent_axis("share of the importance", range=[0, 130 * shares[-1][0]], nticks=6))
    names = [label(name) for _, name in shares]
    return figure.update_yaxes(
        **axis(tickvals=list(range(len(names))), ticktext=names, showgrid=False, tickfont={"color": LIGHT["ink"]})
    )
