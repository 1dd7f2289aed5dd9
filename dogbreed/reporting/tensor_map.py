"""A map of tensors over steps: the first of the network above, colours by the power of ten."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dogbreed.reporting.debugger_contents import Points
from dogbreed.reporting.figure_style import CONTROLS, axis, hover, layout
from dogbreed.reporting.log_axis import decades
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.run_wording import quantity
from dogbreed.reporting.tensor_cells import Cell, drawable, row_cells, step_buckets
from dogbreed.reporting.tensor_names import short_names

if TYPE_CHECKING:
    import plotly.graph_objects as go

NAMED = 32  # names beside a map, at most
AROUND = 4.0  # powers of ten around the usual value that colours tell apart
RISING = [[0, LIGHT["right-few"]], [0.5, LIGHT["bar"]], [1, LIGHT["right-many"]]]
DIVERGING = [
    [0, LIGHT["right-many"]],
    [0.5, LIGHT["sunken"]],
    [0.75, LIGHT["error-some"]],
    [1, LIGHT["error-many"]],
]
# Zero, and what is no number, have no power of ten.
APART = [[0, LIGHT["frame"]], [0.5, LIGHT["frame"]], [0.5, LIGHT["ink"]], [1, LIGHT["ink"]]]


def tensor_map(tensors: Mapping[str, Points], usual: float | None = None) -> go.Figure:
    """A cell for each tensor and step, or of some steps together the most telling one.

    Args:
        tensors: points (step, value) of each tensor.
        usual: where given, colours tell what lies below from what lies above.
    """
    import plotly.graph_objects as go

    columns = step_buckets(tensors)
    rows = [row_cells(points, columns) for points in tensors.values()]
    centres = [(bucket[0] + bucket[-1]) / 2 for bucket in columns]
    figure = go.Figure(
        layout=layout(margin={"l": 16, "r": 8, "t": 12, "b": 14}, meta=[hover(name) for name in tensors])
    )
    figure.add_heatmap(x=centres, **_powers(rows), **_colours(tensors, usual))
    if any(cell and not drawable(cell[1]) for row in rows for cell in row):
        figure.add_heatmap(x=centres, **_apart(rows), colorscale=APART, zmin=0, zmax=1, showscale=False)
    figure.update_traces(hovertemplate="%{hovertext}<extra></extra>", hoverongaps=False)
    figure.update_xaxes(**axis("training step", showgrid=False, tickformat=",~f"))
    return figure.update_yaxes(**_side(list(tensors)))


def _powers(rows: Sequence[Sequence[Cell]]) -> dict[str, Any]:
    return {
        "z": [[round(math.log10(cell[1]), 3) if cell and drawable(cell[1]) else None for cell in row] for row in rows],
        # The page puts the tensor's name before it: a name in every cell would be megabytes.
        "text": [[_text(cell) if cell and drawable(cell[1]) else None for cell in row] for row in rows],
    }


def _apart(rows: Sequence[Sequence[Cell]]) -> dict[str, Any]:
    apart = [[cell if cell and not drawable(cell[1]) else None for cell in row] for row in rows]
    return {
        "z": [[None if cell is None else int(not math.isfinite(cell[1])) for cell in row] for row in apart],
        "text": [[None if cell is None else _text(cell) for cell in row] for row in apart],
    }


def _text(cell: tuple[float, float]) -> str:
    return f"step {cell[0]:,.0f}: {quantity(cell[1])}"


def _colours(tensors: Mapping[str, Points], usual: float | None) -> dict[str, Any]:
    low, high = decades(value for points in tensors.values() for _, value in points)
    bounds = (float(low), float(high))
    if usual is not None:
        middle = math.log10(usual)
        reach = min(AROUND, max(high - middle, middle - low))
        bounds = (middle - reach, middle + reach)
    scale = RISING if usual is None else DIVERGING
    return {"zmin": bounds[0], "zmax": bounds[1], "colorscale": scale, "colorbar": _bar(*bounds)}


def _bar(low: float, high: float) -> dict[str, Any]:
    every = math.ceil((high - low) / 8)
    ticks = list(range(math.ceil(low), math.floor(high) + 1, every))
    words = [f"10<sup>{tick}</sup>".replace("-", "\N{MINUS SIGN}") for tick in ticks]
    return {"tickvals": ticks, "ticktext": words, "thickness": 12, "outlinewidth": 0, "xpad": 6, "ticks": ""}


def _side(names: Sequence[str]) -> dict[str, Any]:
    every = math.ceil(len(names) / NAMED)
    places = list(range(0, len(names), every))
    written = short_names([name.translate(CONTROLS) for name in names])
    return axis(
        showgrid=False,
        tickvals=places,
        ticktext=[written[place] for place in places],
        tickfont={"size": 11},
        range=[len(names) - 0.5, -0.5],
    )
