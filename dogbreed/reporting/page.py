"""The report: one HTML file that needs no other file, no server and no network."""

from __future__ import annotations

from typing import Any

from dogbreed.reporting.class_order import alphabetical_order, clustered_order
from dogbreed.reporting.confused_groups import confused_groups
from dogbreed.reporting.confusion_colours import MEASURES, legend
from dogbreed.reporting.contents import ReportContents
from dogbreed.reporting.frame import framed
from dogbreed.reporting.outline import SECTIONS, outline
from dogbreed.reporting.per_class import mistaken_for, worst_first
from dogbreed.reporting.plots import plots


def render_report(contents: ReportContents) -> str:
    """The page of a run or an evaluation, the same text for the same contents.

    Plotly is inside (4.8 MB); the policy of the page forbids every request and every script that is not its own.
    """
    return framed(
        "report",
        title=contents.title,
        summary=contents.summary,
        parts=outline(contents, SECTIONS),
        contents=contents,
        **_evaluated(contents),
    )


def _evaluated(contents: ReportContents) -> dict[str, Any]:
    clustered = clustered_order(contents.confusion)
    figures = plots(contents, clustered)
    places = [clustered.positions.index(position) for position in alphabetical_order(contents.class_names)]
    return {
        "figures": figures,
        "data": {"alphabetical": places},
        "legends": {measure: legend(contents.confusion, measure) for measure in MEASURES if contents.confusion.any()},
        "groups": confused_groups(contents.confusion, contents.class_names, clustered.groups),
        "classes": worst_first(contents.classes),
        "mistaken_for": mistaken_for(contents.confusion, contents.class_names),
    }
