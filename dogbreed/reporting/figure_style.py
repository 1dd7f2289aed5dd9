"""What all figures have in common: type, grid, margins, and how names are written in them."""

from __future__ import annotations

import textwrap
from html import escape
from typing import Any

from dogbreed.reporting.palette import LIGHT

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
LABEL, LINE = 24, 56  # letters of a name beside an axis, and of a line that appears on hovering


def layout(**changes: Any) -> dict[str, Any]:
    """A figure's layout; its size is that of the box on the page."""
    return {
        # Without this Plotly adds a template of its own to every figure.
        "template": "none",
        "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": LIGHT["muted"]},
        "margin": {"l": 16, "r": 20, "t": 40, "b": 14},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"color": LIGHT["ink"]}},
        "hoverlabel": {
            "bgcolor": LIGHT["surface"],
            "bordercolor": LIGHT["line"],
            "font": {"family": FONT, "size": 13, "color": LIGHT["ink"]},
            "align": "left",
            "namelength": -1,
        },
        # On a phone a finger on a figure moves the page, not the axes.
        "dragmode": False,
        **changes,
    }


def axis(title: str = "", **changes: Any) -> dict[str, Any]:
    """An axis that stays where it is."""
    return {
        "title": {"text": title, "standoff": 10, "font": {"size": 13}},
        "gridcolor": LIGHT["grid"],
        "linecolor": LIGHT["line"],
        "spikecolor": LIGHT["frame"],
        "spikethickness": 1,
        "ticks": "",
        "zeroline": False,
        "automargin": True,
        "fixedrange": True,
        **changes,
    }


def percent_axis(title: str = "", **changes: Any) -> dict[str, Any]:
    """An axis of percentages."""
    return axis(title, ticksuffix=" %", **changes)


# Letters that turn the direction of what follows them, and those that end a line.
CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def label(name: str) -> str:
    """A name beside an axis: short, and with nothing in it that Plotly would take for HTML.

    >>> label("<b>Akita</b>"), label("x" * 30)
    ('&lt;b&gt;Akita&lt;/b&gt;', 'xxxxxxxxxxxxxxxxxxxxxxx…')
    """
    name = name.translate(CONTROLS)
    return escape(name if len(name) <= LABEL else f"{name[: LABEL - 1]}…", quote=False)


def hover(text: str) -> str:
    """A sentence that appears on hovering: whole, in lines that fit a phone, and without HTML of its own.

    >>> hover("a" * 60)
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa<br>aaaa'
    """
    return "<br>".join(escape(line, quote=False) for line in textwrap.wrap(text.translate(CONTROLS), LINE))
