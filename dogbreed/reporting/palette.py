"""The colours of the page, light and dark: the style sheet and the figures take them from here."""

from __future__ import annotations

from collections.abc import Mapping

# Every light colour differs from the others: in a figure it is replaced by the dark one of the same name.
LIGHT = {
    "page": "#f7f8fa",
    "surface": "#ffffff",
    "sunken": "#eff1f4",
    "line": "#dfe3e8",
    "grid": "#e7eaee",
    "frame": "#9aa4b0",
    "ink": "#15191e",
    "muted": "#57606b",
    "accent": "#0a5bb5",
    "main": "#1466b8",
    "second": "#b4530a",
    "third": "#3d7a37",
    "fourth": "#7a4ba8",
    "warning-surface": "#fff5e8",
    "warning-line": "#efc58d",
    "warning-ink": "#7a3d00",
    "good-surface": "#eef7ee",
    "good-line": "#b5d8b3",
    "good-ink": "#205c20",
    "error-rare": "#fbd0a8",
    "error-some": "#e8631a",
    "error-many": "#7c1d06",
    "bar": "#8dbae6",
    "right-few": "#d3e3f4",
    "right-many": "#175a9e",
}
DARK = {
    "page": "#101317",
    "surface": "#181c22",
    "sunken": "#21262e",
    "line": "#313842",
    "grid": "#2a3038",
    "frame": "#5f6b79",
    "ink": "#e9ecf0",
    "muted": "#a3adb9",
    "accent": "#7cb8f5",
    "main": "#62aaf0",
    "second": "#f0984f",
    "third": "#85c47c",
    "fourth": "#bd95e6",
    "warning-surface": "#2b2117",
    "warning-line": "#70502a",
    "warning-ink": "#f6c68c",
    "good-surface": "#17251a",
    "good-line": "#35593a",
    "good-ink": "#a6d9a6",
    "error-rare": "#5c3215",
    "error-some": "#ec7a2c",
    "error-many": "#ffd9b0",
    "bar": "#2f6299",
    "right-few": "#1c344d",
    "right-many": "#58a5ee",
}


def css_variables(colours: Mapping[str, str]) -> str:
    """Declarations of custom properties.

    >>> css_variables({"ink": "#000000"})
    '--ink: #000000;'
    """
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def dark_by_light() -> dict[str, str]:
    """The dark colour for each light one."""
    return {LIGHT[name]: DARK[name] for name in LIGHT}
