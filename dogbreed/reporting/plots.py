"""All figures of a report, by the name that their box on the page has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dogbreed.reporting.class_order import ClassOrder
from dogbreed.reporting.confusion_colours import MEASURES
from dogbreed.reporting.confusion_matrix import confusion_matrix
from dogbreed.reporting.contents import ReportContents
from dogbreed.reporting.curves import MEASURES as CURVES
from dogbreed.reporting.curves import learning_curve, measured
from dogbreed.reporting.per_class import recall_bars, worst_first
from dogbreed.reporting.rate_curve import rate_curve
from dogbreed.reporting.reliability_diagram import reliability_diagram
from dogbreed.reporting.schedule import learning_rate_schedule

if TYPE_CHECKING:
    import plotly.graph_objects as go

Named = Iterator[tuple[str, "go.Figure"]]


def plots(contents: ReportContents, clustered: ClassOrder) -> dict[str, go.Figure]:
    """A figure for each part that has one; of the confusion matrix one for each measure."""
    return dict([*_training(contents), *_evaluation(contents, clustered)])


def _training(contents: ReportContents) -> Named:
    for measure in CURVES:
        if measured(contents.history, measure):
            yield f"curve-{measure}", learning_curve(contents.history, measure, contents.best_epoch)
    if any(contents.learning_rates.values()):
        yield "schedule", learning_rate_schedule(contents.learning_rates)
    if contents.rate_search and len(contents.rate_search.rates):
        yield "rate-search", rate_curve(contents.rate_search)


def _evaluation(contents: ReportContents, clustered: ClassOrder) -> Named:
    if contents.reliability or contents.calibrated_reliability:
        yield "reliability", reliability_diagram(contents.reliability, contents.calibrated_reliability)
    if contents.confusion.size and contents.confusion.any():
        for measure in MEASURES:
            yield f"confusion-{measure}", confusion_matrix(contents.confusion, contents.class_names, clustered, measure)
    if any(entry.recall is not None for entry in contents.classes):
        yield "recall", recall_bars(worst_first(contents.classes))
