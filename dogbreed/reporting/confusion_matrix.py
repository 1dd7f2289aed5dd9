"""The confusion matrix as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dogbreed.reporting.class_order import ClassOrder
from dogbreed.reporting.confusion_colours import MEASURES, RANGE, Counts, colour_places
from dogbreed.reporting.figure_style import axis, hover, label, layout
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.wording import percent, photos

if TYPE_CHECKING:
    import plotly.graph_objects as go

WRITTEN = 20  # classes up to which every cell says its value


def confusion_matrix(
    confusion: Counts, class_names: Sequence[str], order: ClassOrder, measure: str = "share"
) -> go.Figure:
    """A cell for each target and answer that occur together.

    Args:
        confusion: counts, shape (classes, classes); rows are targets, columns answers.
        class_names: of the rows and columns.
        order: of the classes, from above and from the left; its groups are framed.
        measure: a key of `MEASURES`.
    """
    import plotly.graph_objects as go

    counts = confusion[np.ix_(order.positions, order.positions)]
    names = [class_names[position] for position in order.positions]
    figure = go.Figure(layout=layout(margin={"l": 40, "r": 20, "t": 20, "b": 40}, shapes=_frames(order)))
    figure.add_heatmap(**_cells(counts, names, measure), **_written(counts, measure))
    side = _side(names)
    figure.update_xaxes(**axis("answer of the model", **side, tickangle=-60))
    return figure.update_yaxes(**axis("class of the photo", **side | {"range": side["range"][::-1]}))


def sentence(count: int, support: int, target: str, answered: str) -> str:
    """What a cell says.

    >>> sentence(12, 15, "Akita", "Husky")
    '12 of 15 photos of Akita were taken for Husky (80.0 %)'
    """
    verb = "was" if count == 1 else "were"
    verdict = "recognised" if target == answered else f"taken for {answered}"
    return f"{count} of {photos(support)} of {target} {verb} {verdict} ({percent(count / support)})"


def _cells(counts: Counts, names: Sequence[str], measure: str) -> dict[str, Any]:
    support = counts.sum(axis=1).tolist()
    sentences = [
        [hover(sentence(c, support[t], names[t], names[a])) if c else None for a, c in enumerate(row)]
        for t, row in enumerate(counts.tolist())
    ]
    places = colour_places(MEASURES[measure].values(counts), measure)
    colours = {"z": places, "zmin": -1, "zmax": 1, "colorscale": RANGE, "showscale": False}
    return {**colours, "hovertext": sentences, "hovertemplate": "%{hovertext}<extra></extra>", "hoverongaps": False}


def _written(counts: Counts, measure: str) -> dict[str, Any]:
    """The values in the cells, where there is room for them."""
    if len(counts) > WRITTEN:
        return {}
    values, written = MEASURES[measure].values(counts).tolist(), MEASURES[measure].written
    text = [[written(value) if value else "" for value in row] for row in values]
    return {"text": text, "texttemplate": "%{text}", "textfont": {"weight": 600}, "xgap": 2, "ygap": 2}


def _side(names: Sequence[str]) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [label(name) for name in names],
        "range": [-0.5, len(names) - 0.5],
        "showgrid": False,
        "showline": True,
        "mirror": True,
        "fixedrange": False,
    }


def _frames(order: ClassOrder) -> list[dict[str, Any]]:
    line = {"color": LIGHT["frame"], "width": 1}
    places = [[order.positions.index(position) for position in group] for group in order.groups]
    ends = [(min(group) - 0.5, max(group) + 0.5) for group in places]
    return [{"type": "rect", "x0": low, "x1": high, "y0": low, "y1": high, "line": line} for low, high in ends]
