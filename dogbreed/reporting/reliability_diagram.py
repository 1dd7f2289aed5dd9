"""The reliability diagram: of the photos answered with 80 % confidence, are 80 % right?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dogbreed.reporting.contents import ReliabilityBin
from dogbreed.reporting.figure_style import axis, layout, percent_axis
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.wording import percent, photos

if TYPE_CHECKING:
    import plotly.graph_objects as go

Bins = Sequence[ReliabilityBin]
STYLES = {
    "before calibration": {"color": LIGHT["second"], "symbol": "diamond"},
    "after calibration": {"color": LIGHT["main"], "symbol": "circle"},
}


def reliability_diagram(before: Bins, after: Bins) -> go.Figure:
    """The share that is right over the mean confidence, a point a bin, and below it how many photos each bin has.

    Bins without photos are left out (Guo et al., 2017).
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06)
    figure.update_layout(**layout(barmode="group", bargap=0.08))
    diagonal = {"color": LIGHT["muted"], "dash": "dot", "width": 1}
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line=diagonal, name="ideal", hoverinfo="skip", row=1, col=1
    )
    for (name, style), bins in zip(STYLES.items(), (before, after), strict=True):
        filled = [entry for entry in bins if entry.count]
        if filled:
            figure.add_scatter(**_points(name, style, filled), row=1, col=1)
            figure.add_bar(**_histogram(name, style, filled), row=2, col=1)
    share: dict[str, Any] = {"range": [-2, 102], "dtick": 20}
    figure.update_xaxes(**percent_axis(**share))
    figure.update_xaxes(title={"text": "confidence (highest probability)"}, row=2)
    figure.update_yaxes(**percent_axis("share right", **share), row=1)
    return figure.update_yaxes(**axis("photos", nticks=4), row=2)


def _points(name: str, style: dict[str, str], bins: Bins) -> dict[str, Any]:
    return {
        "x": [100 * entry.confidence for entry in bins],
        "y": [100 * entry.accuracy for entry in bins],
        "name": name,
        "mode": "lines+markers",
        "line": {"color": style["color"], "width": 2},
        "marker": {"color": style["color"], "symbol": style["symbol"], "size": 8},
        **_hover(name, bins),
    }


def _histogram(name: str, style: dict[str, str], bins: Bins) -> dict[str, Any]:
    return {
        "x": [50 * (entry.low + entry.high) for entry in bins],
        "y": [entry.count for entry in bins],
        "name": name,
        "showlegend": False,
        "marker": {"color": style["color"], "opacity": 0.75},
        **_hover(name, bins),
    }


def _hover(name: str, bins: Bins) -> dict[str, Any]:
    return {"hovertext": [sentence(name, entry) for entry in bins], "hovertemplate": "%{hovertext}<extra></extra>"}


def sentence(name: str, entry: ReliabilityBin) -> str:
    """What a bin says.

    >>> sentence("before calibration", ReliabilityBin(0.6, 0.7, 54, 0.652, 0.5))
    'before calibration: 54 photos<br>mean confidence 65.2 %, right 50.0 %'
    """
    return (
        f"{name}: {photos(entry.count)}<br>mean confidence {percent(entry.confidence)}, right {percent(entry.accuracy)}"
    )
