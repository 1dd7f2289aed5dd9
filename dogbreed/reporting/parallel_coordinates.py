"""Optuna's parallel coordinates in the page's look: a line for each trial through its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from dogbreed.reporting.figure_style import axis, hover, label, layout
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.study_wording import axis_name, category

if TYPE_CHECKING:
    import plotly.graph_objects as go

# From the best trial to the worst: colours that a dark page can replace, unlike those of a scale.
GROUPS = (
    ("best trial", {"color": LIGHT["second"], "width": 3}),
    ("best third", {"color": LIGHT["main"], "width": 2}),
    ("middle third", {"color": LIGHT["bar"], "width": 1.5}),
    ("last third", {"color": LIGHT["frame"], "width": 1}),
)
Places: TypeAlias = dict[tuple[int, str], float]  # the height of a choice, by its axis and its text
FEW = 7  # axes, whose names fit the paper in the usual size
APART = 0.06  # of an axis, between two of its labels


def parallel_coordinates(
    drawn: go.Figure, title: str, parameters: Sequence[str], *, choices: Mapping[str, Sequence[str]], minimize: bool
) -> go.Figure:
    """The figure of `optuna.visualization.plot_parallel_coordinate`, restyled.

    Args:
        drawn: by Optuna: a line for each trial, and an empty trace for its scale of colours.
        title: of the metric's axis, which is the first.
        parameters: names of the settings, in the order of their axes.
        choices: of those settings that have some, in their order; Optuna's is that in which they were tried.
        minimize: whether a lower metric is better.
    """
    import plotly.graph_objects as go

    lines = [trace for trace in drawn.data if trace.mode == "lines"]
    ranked = sorted(lines, key=lambda line: line.y[0] if minimize else -line.y[0])
    names, places = [title, *parameters], _places(lines, parameters, choices)
    figure = go.Figure(layout=layout(showlegend=True, hovermode="closest", shapes=_rules(len(names))))
    figure.update_layout(annotations=_labels(drawn, places))
    groups = [_group(rank, len(ranked)) for rank in range(len(ranked))]
    for rank in reversed(range(len(ranked))):
        group = groups[rank]
        figure.add_scatter(**_line(ranked[rank], group, names, places), showlegend=groups.index(group) == rank)
    texts = [title.replace(" ", "<br>", 1), *map(axis_name, parameters)]
    ticks: dict[str, Any] = {
        "tickvals": list(range(len(texts))),
        "ticktext": texts,
        "tickfont": {"color": LIGHT["ink"], "size": 13 if len(texts) <= FEW else 11},
    }
    figure.update_xaxes(**axis(range=[-0.6, len(names) - 0.6], showgrid=False, tickangle=0, **ticks))
    return figure.update_yaxes(**axis(range=[-0.06, 1.06], visible=False))


def _places(lines: Sequence[Any], parameters: Sequence[str], choices: Mapping[str, Sequence[str]]) -> Places:
    """Where each choice that was tried stands, on the axes that have choices."""
    places: Places = {}
    for position, name in enumerate(parameters, 1):
        if name in choices:
            tried = {line.customdata[position][1] for line in lines}
            # A trial without the setting has a place of its own.
            shown = [*sorted(tried - {*choices[name]}), *(choice for choice in choices[name] if choice in tried)]
            places |= {(position, choice): n / max(len(shown) - 1, 1) for n, choice in enumerate(shown)}
    return places


def _group(rank: int, count: int) -> int:
    """Where in `GROUPS` a trial stands.

    >>> [_group(rank, 7) for rank in range(7)]
    [0, 1, 1, 2, 2, 3, 3]
    """
    return 0 if rank == 0 else 1 + 3 * (rank - 1) // (count - 1)


def _line(drawn: Any, group: int, names: Sequence[str], places: Places) -> dict[str, Any]:
    group_name, line = GROUPS[group]
    values = [value for _, value in drawn.customdata]
    return {
        "x": list(drawn.x),
        "y": [places.get(place, y) for place, y in zip(enumerate(values), drawn.y, strict=True)],
        "mode": "lines",
        "line": line,
        "opacity": 1 if group == 0 else 0.75,
        "name": group_name,
        "legendgroup": group_name,
        "legendrank": group,
        "hovertext": [hover(f"{name}: {category(value)}") for name, value in zip(names, values, strict=True)],
        "hoverinfo": "text",
    }


def _rules(count: int) -> list[dict[str, Any]]:
    line = {"color": LIGHT["frame"], "width": 1}
    return [{"type": "line", "x0": n, "x1": n, "y0": 0, "y1": 1, "line": line, "layer": "below"} for n in range(count)]


def _labels(drawn: go.Figure, places: Places) -> list[dict[str, Any]]:
    """Optuna's values beside the axes; of those that would touch, the ends of an axis stay."""
    noted = [(note.x, places.get((note.x, note.text), note.y), note.text) for note in drawn.layout.annotations]
    kept: list[tuple[int, float, str]] = []
    for x, y, text in sorted(noted, key=lambda note: 0 < note[1] < 1):
        if all(x != other or abs(y - height) >= APART for other, height, _ in kept):
            kept.append((x, y, text))
    return [_label(x, y, category(text)) for x, y, text in kept]


def _label(x: int, y: float, text: str) -> dict[str, Any]:
    return {
        "x": x,
        "y": y,
        "text": label(text),
        "showarrow": False,
        "xanchor": "right",
        "xshift": -4,
        "font": {"size": 11, "color": LIGHT["ink"]},
        "bgcolor": LIGHT["surface"],
        "borderpad": 1,
    }
