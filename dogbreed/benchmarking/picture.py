"""One picture of all stages: how near the floor ours and the public method come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dogbreed.atomic import atomic_write
from dogbreed.benchmarking.stage import FLOOR, OURS, PUBLIC, Stage
from dogbreed.benchmarking.wording import figure, share, times
from dogbreed.reporting.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# From top to bottom within a stage.
COLOURS = {FLOOR: LIGHT["line"], OURS: LIGHT["main"], PUBLIC: LIGHT["second"]}
LABELS = {FLOOR: "floor: what the machine could do at most", OURS: "dogbreed", PUBLIC: "public method"}
THICK, ROW = 0.26, 1.1  # of a bar, from stage to stage
RATIOS, WIDTH = 1.26, 1.56  # where they stand, and the axis ends, in lengths of the longest bar


def draw(stages: Sequence[Stage], title: str, subtitle: str, path: Path) -> None:
    """Write a PNG of bars whose length is a share of the floor's speed, with what was measured beside them.

    Args:
        stages: from top to bottom.
        title: what was measured.
        subtitle: with what.
        path: of the file.

    Raises:
        OSError: it cannot be written.
    """
    # Half a second that no other command need wait for.
    from matplotlib.figure import Figure

    picture = Figure(figsize=(11, 1.7 + 0.95 * len(stages)), dpi=150, facecolor=LIGHT["surface"], layout="constrained")
    axes = picture.add_subplot()
    longest = max(max(_lengths(stage)) for stage in stages)
    for position, stage in enumerate(stages):
        for line, side in enumerate(COLOURS):
            _bar(axes, stage, side, position * ROW + (line - 1) * THICK, label=LABELS[side] if not position else "")
        _ratios(axes, stage, RATIOS * longest, position * ROW)
    _style(axes, stages, longest)
    _head(axes, title, subtitle)
    with atomic_write(path) as file:
        picture.savefig(file, format="png")


def _bar(axes: Axes, stage: Stage, side: str, height: float, label: str) -> None:
    length = stage.times_as_fast(side, FLOOR)
    drawn = length if math.isfinite(length) else 0.0
    axes.barh(height, drawn, THICK * 0.92, color=COLOURS[side], label=label or None)
    axes.annotate(
        f"{figure(stage.median(side))} {stage.unit}" if stage.samples.get(side) else "not measured",
        (drawn, height),
        (5, 0),
        textcoords="offset points",
        va="center",
        color=LIGHT["ink"] if side == OURS else LIGHT["muted"],
        fontsize=9.5,
        fontweight="bold" if side == OURS else "normal",
    )


def _ratios(axes: Axes, stage: Stage, place: float, height: float) -> None:
    of_floor, faster = share(stage.times_as_fast(OURS, FLOOR)), times(stage.times_as_fast(OURS, PUBLIC))
    said = f"{of_floor} of the floor\n{faster} the public method"
    axes.text(place, height, said, va="center", color=LIGHT["ink"], fontsize=10, linespacing=1.5)


def _style(axes: Axes, stages: Sequence[Stage], longest: float) -> None:
    axes.set_xlim(0, longest * WIDTH)
    axes.set_ylim(len(stages) * ROW - 0.5, -0.6)
    axes.set_yticks([position * ROW for position in range(len(stages))], [stage.name for stage in stages])
    ticks = [0.25 * step for step in range(math.floor(longest / 0.25) + 1)]
    axes.set_xticks(ticks, [f"{tick:.0%}".replace("%", " %") for tick in ticks])
    axes.set_xlabel("speed, as a share of the floor's", color=LIGHT["muted"], loc="left")
    axes.grid(axis="x", color=LIGHT["grid"])
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=LIGHT["muted"])
    axes.tick_params(axis="y", colors=LIGHT["ink"], labelsize=11, pad=8)
    axes.spines[:].set_visible(False)


def _lengths(stage: Stage) -> list[float]:
    return [length for side in COLOURS if math.isfinite(length := stage.times_as_fast(side, FLOOR))] or [1.0]


def _head(axes: Axes, title: str, subtitle: str) -> None:
    axes.set_title(f"{title}\n", loc="left", fontsize=15, fontweight="bold", color=LIGHT["ink"], pad=30)
    axes.annotate(
        subtitle,
        (0, 1),
        (0, 34),
        "axes fraction",
        "offset points",
        color=LIGHT["muted"],
        fontsize=10,
        annotation_clip=False,
    )
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, frameon=False, fontsize=10, labelcolor=LIGHT["ink"]
    )


def headings(found: Mapping[str, Any]) -> tuple[str, str]:
    """Title and subtitle, from what `benchmark.json` holds."""
    machine, setting = found["machine"], found["setting"]
    size, batch = f"{setting['image_size']} x {setting['image_size']} pixels", f"batches of {setting['batch_size']}"
    return (
        f"{setting['backbone']}, {size}: how near the machine's own limits",
        f"{machine['device']}, {machine['cores']} cores, {batch}, frozen part by {setting['frozen_forward']}; "
        "longer bars are faster",
    )
