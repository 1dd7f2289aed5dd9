"""Learning curves: a measure of the training and the validation photos, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dogbreed.reporting.figure_style import axis, layout, percent_axis
from dogbreed.reporting.palette import LIGHT

if TYPE_CHECKING:
    import plotly.graph_objects as go

History = Sequence[Mapping[str, float]]
SPLITS = {
    "train": {"name": "training", "color": LIGHT["second"], "symbol": "circle-open"},
    "val": {"name": "validation", "color": LIGHT["main"], "symbol": "circle"},
}


@dataclass(frozen=True)
class Measure:
    """How a measure is drawn: the scale of its axis, how values are written, and where the curves leave room."""

    scale: float
    hover: str
    axis: dict[str, Any]
    empty: str


MEASURES = {
    "loss": Measure(1, "%{y:.3f}", axis(rangemode="tozero", nticks=7), "top"),
    "acc": Measure(100, "%{y:.1f} %", percent_axis(nticks=7), "bottom"),
}


def learning_curve(history: History, measure: str, best_epoch: int | None) -> go.Figure:
    """`train/MEASURE` and `val/MEASURE` by epoch, the best epoch marked.

    Args:
        history: a row an epoch; an epoch that lacks a measure leaves a gap.
        measure: a key of `MEASURES`.
        best_epoch: the epoch whose weights were kept.
    """
    import plotly.graph_objects as go

    figure = go.Figure(layout=layout(hovermode="x unified"))
    for split, style in SPLITS.items():
        values = [_finite(row.get(f"{split}/{measure}"), MEASURES[measure].scale) for row in history]
        figure.add_scatter(y=values, **_line(history, style), hovertemplate=MEASURES[measure].hover)
    step = {"dtick": 1} if len(history) <= 10 else {}
    figure.update_xaxes(**axis("epoch", hoverformat="d", unifiedhovertitle={"text": "epoch %{x}"}, **step))
    figure.update_yaxes(**MEASURES[measure].axis)
    if best_epoch is not None:
        _mark(figure, best_epoch, [int(row["epoch"]) for row in history], MEASURES[measure].empty)
    return figure


def measured(history: History, measure: str) -> bool:
    """Whether any epoch has the measure."""
    return any(not math.isnan(row.get(f"{split}/{measure}", math.nan)) for row in history for split in SPLITS)


def _line(history: History, style: Mapping[str, str]) -> dict[str, Any]:
    return {
        "x": [int(row["epoch"]) for row in history],
        "name": style["name"],
        "mode": "lines+markers" if len(history) <= 40 else "lines",
        "line": {"color": style["color"], "width": 2},
        "marker": {"color": style["color"], "size": 6, "symbol": style["symbol"]},
    }


def _finite(value: float | None, scale: float) -> float | None:
    return scale * value if value is not None and math.isfinite(value) else None


def _mark(figure: go.Figure, epoch: int, epochs: Sequence[int], end: str) -> None:
    left = epoch > sum(epochs) / len(epochs)
    figure.add_vline(
        epoch,
        line={"color": LIGHT["muted"], "width": 1, "dash": "dot"},
        annotation={
            "text": f"best epoch {epoch}",
            "yref": "paper",
            "y": {"top": 1, "bottom": 0}[end],
            "xanchor": "right" if left else "left",
            "xshift": -5 if left else 5,
            "yanchor": end,
            "showarrow": False,
            "font": {"color": LIGHT["ink"]},
        },
    )
