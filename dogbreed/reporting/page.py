"""The report: one HTML file that needs no other file, no server and no network."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dogbreed.reporting import wording
from dogbreed.reporting.class_order import alphabetical_order, clustered_order
from dogbreed.reporting.confused_groups import confused_groups
from dogbreed.reporting.confusion_colours import MEASURES, legend
from dogbreed.reporting.contents import ReportContents
from dogbreed.reporting.embedding import (
    FOLDER,
    content_security_policy,
    embedded_json,
    page_scripts,
    style_sheet,
)
from dogbreed.reporting.outline import outline
from dogbreed.reporting.palette import DARK, LIGHT, css_variables, dark_by_light
from dogbreed.reporting.per_class import mistaken_for, worst_first
from dogbreed.reporting.plots import plots

FILTERS = ("percent", "number", "rate", "value", "interval", "gain", "photos", "share_with_interval")


def render_report(contents: ReportContents) -> str:
    """The page of a run or an evaluation, the same text for the same contents.

    Plotly is inside (4.8 MB); the policy of the page forbids every request and every script that is not its own.
    """
    scripts = page_scripts()
    html = (
        _environment()
        .get_template("report.html.jinja")
        .render(
            contents=contents,
            parts=outline(contents),
            policy=content_security_policy(scripts),
            scripts=scripts,
            style=style_sheet(),
            light=css_variables(LIGHT),
            dark=css_variables(DARK),
            **_evaluated(contents),
        )
    )
    # Names of files that are not UTF-8 have letters that no encoding can write.
    return html.encode("utf-8", "replace").decode("utf-8")


def _evaluated(contents: ReportContents) -> dict[str, Any]:
    clustered = clustered_order(contents.confusion)
    figures = plots(contents, clustered)
    places = [clustered.positions.index(position) for position in alphabetical_order(contents.class_names)]
    data = {"figures": figures, "dark": dark_by_light(), "alphabetical": places}
    return {
        "figures": figures,
        "data": embedded_json(data),
        "legends": {measure: legend(contents.confusion, measure) for measure in MEASURES if contents.confusion.any()},
        "groups": confused_groups(contents.confusion, contents.class_names, clustered.groups),
        "classes": worst_first(contents.classes),
        "mistaken_for": mistaken_for(contents.confusion, contents.class_names),
    }


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(wording, name) for name in FILTERS}
    return environment
