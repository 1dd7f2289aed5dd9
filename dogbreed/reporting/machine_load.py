"""How busy the machine was over the time of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dogbreed.reporting.figure_style import label, layout, percent_axis
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.profiler_contents import MachineLoad, Phase, Points
from dogbreed.reporting.thinning import thinned
from dogbreed.reporting.time_axis import TimeAxis

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS = tuple(LIGHT[name] for name in ("main", "second", "third", "fourth"))
DASHES = ("solid", "dot", "dash", "dashdot")


def load_lines(load: MachineLoad) -> dict[str, dict[str, Points]]:
    """The lines of each figure by their names, those left out that nothing was measured of."""
    figures: dict[str, Mapping[str, Points]] = {
        "processor": {"busiest core": load.busiest_core, "mean of cores": load.cpu, "waiting for disks": load.io_wait},
        "gpu": {
            **{name if name.upper().startswith("GPU") else f"GPU {name}": points for name, points in load.gpus.items()},
            **{f"memory of {name}": points for name, points in load.gpu_memory.items()},
        },
        "memory": {"memory": load.memory},
    }
    measured = {name: {line: points for line, points in lines.items() if points} for name, lines in figures.items()}
    return {name: lines for name, lines in measured.items() if lines}


def load_over_time(lines: Mapping[str, Points], phases: Sequence[Phase], clock: TimeAxis) -> go.Figure:
    """Lines of percentages; peaks of a long run stay."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=layout(hovermode="x unified", showlegend=len(lines) > 1, shapes=clock.shades(phases)))
    for number, (name, points) in enumerate(lines.items()):
        figure.add_scatter(**_line(name, thinned(points), clock, number))
    if len(lines) == 1:
        figure.update_layout(margin={"t": 16})
    figure.update_xaxes(**clock.axis())
    return figure.update_yaxes(**percent_axis(range=[0, 103], dtick=25))


def _line(name: str, points: Points, clock: TimeAxis, number: int) -> dict[str, Any]:
    return {
        "x": [clock(at) for at, _ in points],
        "y": [round(value, 2) if math.isfinite(value) else None for _, value in points],
        "name": label(name),
        "mode": "lines" if len(points) > 1 else "markers",
        "line": {"color": COLOURS[number % 4], "dash": DASHES[number // 4 % 4], "width": 1.5},
        "hovertemplate": "%{y:.0f} %",
    }
