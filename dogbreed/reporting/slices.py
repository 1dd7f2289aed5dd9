"""Optuna's slices in the page's look: the metric over each setting, in rows of panels."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dogbreed.reporting.figure_style import axis, hover, label, layout
from dogbreed.reporting.log_axis import decades
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.study_history import value_axis
from dogbreed.reporting.study_wording import axis_name, category, setting
from dogbreed.reporting.wording import number

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLUMNS, TICKS = 4, 4  # at most, of panels in a row and of labels below a panel
PAST_DECADES = 0.15  # so far a logarithmic axis goes on, that no marker is cut
BETWEEN_COLUMNS, BETWEEN_ROWS = 0.03, 0.3  # of the figure's width, and of a row's height: there stand its axes
SCALE = [[0, LIGHT["bar"]], [1, LIGHT["main"]]]


def slices(drawn: go.Figure, title: str, parameters: Sequence[str], *, best: int) -> go.Figure:
    """The figure of `optuna.visualization.plot_slice`, restyled; `layout.meta` tells its numbers of rows and columns.

    Args:
        drawn: by Optuna: a panel of markers for each setting, coloured by the number of the trial.
        title: of the metric's axis.
        parameters: names of the settings, in the order of their panels.
        best: number of the best trial.
    """
    import plotly.graph_objects as go

    rows = math.ceil(len(parameters) / COLUMNS)
    columns = math.ceil(len(parameters) / rows)
    figure = go.Figure(drawn)
    # A width of its own, and colours of Plotly's template, come with Optuna's layout.
    figure.update_layout(
        {"title": None, "width": None}
        | layout(showlegend=False, hovermode="closest", meta={"rows": rows, "columns": columns})
        | {"margin": {"l": 16, "r": 20, "t": 20, "b": 14}}
    )
    values = value_axis([value for trace in drawn.data for value in trace.y], title)
    for place, (trace, parameter) in enumerate(zip(figure.data, parameters, strict=True)):
        row, column = divmod(place, columns)
        suffix = str(place + 1) if place else ""
        trace.update(_markers(trace, best, parameter), overwrite=True)
        x = figure.layout[f"xaxis{suffix}"]
        x.update(axis(axis_name(parameter), domain=_across(column, columns), **_ticks(x, trace.x)))
        y = values if column == 0 else values | {"title": {"text": ""}}
        figure.layout[f"yaxis{suffix}"].update(y | {"domain": _down(row, rows), "showticklabels": column == 0})
    return figure


def _markers(trace: Any, best: int, parameter: str) -> dict[str, Any]:
    numbers = [int(trial) for trial in trace.marker.color]
    texts = [category(ast.literal_eval(x)) if isinstance(x, str) else setting(x) for x in trace.x]
    is_best = [trial == best for trial in numbers]
    said = zip(numbers, texts, trace.y, strict=True)
    return {
        "marker": {
            "color": numbers,
            "colorscale": SCALE,
            "showscale": False,
            "opacity": 1,
            "size": [11 if is_best_ else 8 for is_best_ in is_best],
            "symbol": ["diamond" if is_best_ else "circle" for is_best_ in is_best],
            "line": {
                "color": [LIGHT["second"] if is_best_ else LIGHT["surface"] for is_best_ in is_best],
                "width": [2.5 if is_best_ else 1 for is_best_ in is_best],
            },
        },
        "hovertext": [f"trial {n}: {number(y)}<br>{hover(f'{parameter}: {text}')}" for n, text, y in said],
        "hoverinfo": "text",
    }


def _across(column: int, columns: int) -> list[float]:
    width = (1 - BETWEEN_COLUMNS * (columns - 1)) / columns
    start = column * (width + BETWEEN_COLUMNS)
    return [start, min(start + width, 1.0)]


def _down(row: int, rows: int) -> list[float]:
    gap = BETWEEN_ROWS / rows
    height = (1 - gap * (rows - 1)) / rows
    top = 1 - row * (height + gap)
    return [max(top - height, 0.0), top]


def _ticks(drawn: Any, values: Sequence[Any]) -> dict[str, Any]:
    if drawn.type == "category":
        places = list(drawn.categoryarray)
        return {"tickvals": places, "ticktext": [label(category(ast.literal_eval(place))) for place in places]}
    if drawn.type == "log":
        return _log_ticks(values)
    return {"nticks": TICKS}


def _log_ticks(values: Sequence[float]) -> dict[str, Any]:
    low, high = decades(values)
    places = [float(f"1e{place}") for place in range(low, high + 1, math.ceil((high - low) / (TICKS - 1)))]
    return {
        "range": [low - PAST_DECADES, high + PAST_DECADES],
        "tickvals": places,
        "ticktext": [setting(place) for place in places],
        "tickangle": 0,
    }
