"""The time since the beginning of a run along an axis, and what the run did behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dogbreed.reporting.figure_style import axis
from dogbreed.reporting.palette import LIGHT
from dogbreed.reporting.profiler_contents import Phase

UNITS = ((2 * 3600, 3600, "hours"), (3 * 60, 60, "minutes"), (0, 1, "seconds"))
# Of the phases in the order in which they first come; any others have the last.
COLOURS = tuple(LIGHT[name] for name in ("right-few", "error-rare", "good-line", "line"))
SHADES = 600  # phases drawn, the longest first


@dataclass(frozen=True)
class TimeAxis:
    """The times of a page: seconds of their unit, its name, and the last of them in seconds."""

    seconds: float
    unit: str
    longest: float

    def __call__(self, seconds: float) -> float:
        """A time in the unit, to a ten-thousandth."""
        return round(seconds / self.seconds, 4)

    def axis(self) -> dict[str, Any]:
        """The axis of the figures."""
        title = {"text": f"%{{x}} {self.unit}"}
        return axis(
            self.unit, hoverformat=",.2~f", unifiedhovertitle=title, showgrid=False, range=[0, self(self.longest)]
        )

    def shades(self, phases: Sequence[Phase]) -> list[dict[str, Any]]:
        """Rectangles behind a figure, one for each phase."""
        longest = sorted(phases, key=lambda phase: phase.start - phase.end)[:SHADES]
        kinds = phase_names(phases)
        return [self._shade(phase, kinds.index(phase.name)) for phase in sorted(longest, key=lambda phase: phase.start)]

    def _shade(self, phase: Phase, kind: int) -> dict[str, Any]:
        place = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": self(phase.start), "x1": self(phase.end)}
        colour = COLOURS[min(kind, len(COLOURS) - 1)]
        return {**place, "fillcolor": colour, "opacity": 0.55, "line": {"width": 0}, "layer": "below"}


def time_axis(longest: float) -> TimeAxis:
    """The axis of a run of so many seconds.

    >>> time_axis(600)(90), time_axis(600).unit
    (1.5, 'minutes')
    """
    _, seconds, unit = next(entry for entry in UNITS if longest >= entry[0])
    return TimeAxis(seconds, unit, longest)


def phase_names(phases: Sequence[Phase]) -> list[str]:
    """What the run did, each once."""
    return list(dict.fromkeys(phase.name for phase in sorted(phases, key=lambda phase: phase.start)))
