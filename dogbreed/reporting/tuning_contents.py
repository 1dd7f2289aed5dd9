"""What the page of a search for settings shows, as plain data: its trials, the best of them, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dogbreed.tuning.trials import Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class TuningContents:
    """Everything on the page. A part that is empty is left out of it, with a word on why.

    `metric` is what was searched for, as "val/loss", and `direction` "minimize" or "maximize". `insight` judges the
    best settings against the default ones. `best` is the number of the best trial, `command` the line that trains with
    its settings, and `yaml` the same as an experiment's file. `default_seeds` and `best_seeds` map seeds to the metric
    of a run with them. `test` are lines on the test photos, of the model that was trained anew with the best settings;
    `page` is the name of the file beside this one that reports on it. `plots` are figures by the keys of
    `tuning_page.PLOTS`, `absences` says why a part is missing where the page's own words would be wrong; its keys are
    those of `tuning_page.SECTIONS`, and an empty text says nothing.
    """

    title: str
    metric: str
    direction: str
    insight: str
    trials: Sequence[Trial]
    best: int | None
    command: str
    yaml: str
    default_seeds: Mapping[int, float]
    best_seeds: Mapping[int, float]
    test: Sequence[str] = ()
    page: str | None = None
    plots: Mapping[str, go.Figure] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    absences: Mapping[str, str] = field(default_factory=dict)
