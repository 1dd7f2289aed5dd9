"""Recall of every class as bars with their intervals, and the rows of the table below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dogbreed.reporting.contents import ClassFigures
from dogbreed.reporting.figure_style import axis, hover, label, layout, percent_axis
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.wording import photos, share_with_interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

NAMED = 25  # classes up to which the bars have names below them


def worst_first(classes: Sequence[ClassFigures]) -> list[ClassFigures]:
    """By recall, then by F1, then by name; classes without photos last."""
    return sorted(classes, key=lambda c: (c.recall is None, c.recall or 0.0, c.f1 or 0.0, c.name))


def recall_bars(classes: Sequence[ClassFigures]) -> go.Figure:
    """A bar for each class that has photos, in the order given; whiskers are 95 % intervals.

    The categories of the axis are positions in `classes`: the page sorts the bars by them.
    """
    import plotly.graph_objects as go

    shown = [(str(position), entry) for position, entry in enumerate(classes) if entry.recall is not None]
    figure = go.Figure(layout=layout(showlegend=False, bargap=0.15 if len(shown) > NAMED else 0.5))
    figure.add_bar(
        x=[position for position, _ in shown],
        y=[100 * (entry.recall or 0) for _, entry in shown],
        marker={"color": LIGHT["bar"]},
        error_y=_whiskers([entry for _, entry in shown]),
        hovertext=[hover(sentence(entry)) for _, entry in shown],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    names = {"tickvals": [p for p, _ in shown], "ticktext": [label(entry.name) for _, entry in shown]}
    kind = names if len(shown) <= NAMED else {"showticklabels": False}
    figure.update_xaxes(**axis(type="category", showgrid=False, **kind))
    return figure.update_yaxes(**percent_axis("recall", range=[0, 102], dtick=20))


def _whiskers(classes: Sequence[ClassFigures]) -> dict[str, object]:
    def length(end: float | None, recall: float | None) -> float:
        return 0.0 if end is None or recall is None else 100 * abs(end - recall)

    return {
        "array": [length(entry.recall_high, entry.recall) for entry in classes],
        "arrayminus": [length(entry.recall_low, entry.recall) for entry in classes],
        "color": LIGHT["muted"],
        "thickness": 1,
        "width": 3 if len(classes) <= NAMED else 0,
    }


def sentence(entry: ClassFigures) -> str:
    """What a bar says."""
    recall = share_with_interval(entry.recall, entry.recall_low, entry.recall_high)
    return f"{entry.name}: {recall} of {photos(entry.support)}"


def mistaken_for(
    confusion: npt.NDArray[np.int64], class_names: Sequence[str], most: int = 3
) -> dict[str, list[tuple[str, int]]]:
    """For each class the `most` frequent wrong answers, with how often each was given.

    >>> mistaken_for(np.array([[3, 1], [0, 2]]), ["Akita", "Beagle"])
    {'Akita': [('Beagle', 1)], 'Beagle': []}
    """
    errors = confusion - np.diag(np.diag(confusion))
    ranked = np.argsort(-errors, axis=1, kind="stable")[:, :most].tolist()
    rows = errors.tolist()
    return {
        name: [(class_names[answer], rows[target][answer]) for answer in ranked[target] if rows[target][answer]]
        for target, name in enumerate(class_names)
    }
