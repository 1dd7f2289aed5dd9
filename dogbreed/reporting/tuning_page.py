"""The page of a search for settings: the best ones against the default ones, and what the trials showed."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING
from urllib.parse import quote

from dogbreed.reporting.frame import framed
from dogbreed.reporting.outline import Section, outline
from dogbreed.reporting.seed_dots import finite_seeds, seed_dots
from dogbreed.reporting.study_wording import metric_name, setting
from dogbreed.reporting.tuning_contents import TuningContents
from dogbreed.tuning.trial_order import best_first, parameter_names

if TYPE_CHECKING:
    import plotly.graph_objects as go

PLOTS = ("history", "importances", "parallel", "slices")
SECTIONS: tuple[Section[TuningContents], ...] = (
    Section(
        "insight",
        "Best against default",
        lambda contents: bool(contents.default_seeds or contents.best_seeds or contents.test or contents.page),
        "The best settings were not trained anew.",
    ),
    Section(
        "use_it",
        "Use it",
        lambda contents: bool(contents.command or contents.yaml),
        "No trial was completed: there are no best settings.",
    ),
    Section("trials", "Trials", lambda contents: bool(contents.trials), "No trial was run."),
    Section(
        "history", "History", lambda contents: "history" in contents.plots, "Fewer than two trials were completed."
    ),
    Section(
        "importances",
        "Importance",
        lambda contents: "importances" in contents.plots,
        "It needs two settings, and complete trials that tell them apart.",
    ),
    Section(
        "parallel",
        "Parallel coordinates",
        lambda contents: "parallel" in contents.plots,
        "They need two settings and two complete trials.",
    ),
    Section("slices", "Slices", lambda contents: "slices" in contents.plots, "Fewer than two trials were completed."),
    Section("facts", "Facts", lambda contents: bool(contents.facts)),
)


def render_tuning_page(contents: TuningContents) -> str:
    """The page of a search, the same text for the same contents; it needs no other file.

    It links to the report of the best settings' model, where there is one, as a file beside it.
    """
    columns = {"default": finite_seeds(contents.default_seeds), "best": finite_seeds(contents.best_seeds)}
    return framed(
        "tuning",
        kind="run",
        title=contents.title,
        summary=contents.insight,
        parts=outline(contents, SECTIONS),
        figures=_figures(contents),
        contents=contents,
        metric=metric_name(contents.metric),
        trials=best_first(contents.trials, contents.direction),
        states={row.state for row in contents.trials},
        parameters=parameter_names(contents.trials),
        seeds=sorted({*columns["default"], *columns["best"]}),
        columns=columns,
        mean=fmean,
        setting=setting,
        # What begins with a dot is a file beside the page, whatever its name.
        page=f"./{quote(contents.page)}" if contents.page else None,
    )


def _figures(contents: TuningContents) -> dict[str, go.Figure]:
    figures = {name: contents.plots[name] for name in PLOTS if name in contents.plots}
    columns = {"default": contents.default_seeds, "best": contents.best_seeds}
    if any(finite_seeds(seeds) for seeds in columns.values()):
        figures["seeds"] = seed_dots(columns, metric_name(contents.metric))
    return figures
