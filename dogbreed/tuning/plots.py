"""What Optuna draws of a study, in the look of the page."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dogbreed.reporting.importances import importances
from dogbreed.reporting.parallel_coordinates import parallel_coordinates
from dogbreed.reporting.slices import slices
from dogbreed.reporting.study_history import study_history
from dogbreed.reporting.study_wording import metric_name

if TYPE_CHECKING:
    import optuna
    import plotly.graph_objects as go


@dataclass(frozen=True)
class _Drawable:
    """A study of which there is something to draw.

    `values` are those of its complete trials, `parameters` their settings, `choices` the texts of those that have some.
    """

    study: optuna.Study
    title: str
    values: Sequence[float]
    parameters: Sequence[str]
    choices: Mapping[str, Sequence[str]]
    minimize: bool
    best: int


def study_plots(study: optuna.Study, metric: str) -> dict[str, go.Figure]:
    """Figures of a study: "history", "importances", "parallel" and "slices".

    One that would show nothing is left out: each needs two complete trials; importances need two settings too, values
    that differ, and a difference between the settings; parallel coordinates need two settings, slices one.

    Args:
        study: with one metric.
        metric: what it searches for, as "val/loss".
    """
    with _quiet() as visualization:
        drawable = _drawable(study, metric)
        if drawable is None:
            return {}
        drawn = {name: draw(visualization, drawable) for name, draw in PLOTS.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _history(visualization: Any, drawable: _Drawable) -> go.Figure:
    drawn = visualization.plot_optimization_history(drawable.study, target_name=drawable.title)
    return study_history(drawn, drawable.title)


def _importances(visualization: Any, drawable: _Drawable) -> go.Figure | None:
    if len(drawable.parameters) < 2 or len(set(drawable.values)) < 2:
        return None
    drawn = visualization.plot_param_importances(drawable.study, target_name=drawable.title)
    return importances(drawn) if max(drawn.data[0].x) - min(drawn.data[0].x) > 1e-6 else None


def _parallel(visualization: Any, drawable: _Drawable) -> go.Figure | None:
    if len(drawable.parameters) < 2:
        return None
    drawn = visualization.plot_parallel_coordinate(drawable.study, target_name=drawable.title)
    return parallel_coordinates(
        drawn, drawable.title, drawable.parameters, choices=drawable.choices, minimize=drawable.minimize
    )


def _slices(visualization: Any, drawable: _Drawable) -> go.Figure | None:
    if not drawable.parameters:
        return None
    drawn = visualization.plot_slice(drawable.study, target_name=drawable.title)
    return slices(drawn, drawable.title, drawable.parameters, best=drawable.best)


PLOTS: dict[str, Callable[[Any, _Drawable], go.Figure | None]] = {
    "history": _history,
    "importances": _importances,
    "parallel": _parallel,
    "slices": _slices,
}


def _drawable(study: optuna.Study, metric: str) -> _Drawable | None:
    from optuna.distributions import CategoricalDistribution
    from optuna.study import StudyDirection
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    complete = [trial for trial in trials if math.isfinite(trial.value or 0.0)]
    if len(complete) < 2:
        return None
    values = {trial.number: trial.value or 0.0 for trial in complete}
    minimize = study.direction == StudyDirection.MINIMIZE
    distributions = {name: kind for trial in complete for name, kind in trial.distributions.items()}
    choices = {
        name: [str(choice) for choice in kind.choices]
        for name, kind in distributions.items()
        if isinstance(kind, CategoricalDistribution)
    }
    best = (min if minimize else max)(values, key=lambda number: values[number])
    # Optuna draws them in the order of their names.
    return _Drawable(study, metric_name(metric), list(values.values()), sorted(distributions), choices, minimize, best)


@contextmanager
def _quiet() -> Iterator[Any]:
    """Optuna's figures, without its word on trials that it leaves out of them and on functions that are new."""
    import optuna
    from optuna import visualization

    verbosity = optuna.logging.get_verbosity()
    try:
        optuna.logging.set_verbosity(optuna.logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield visualization
    finally:
        optuna.logging.set_verbosity(verbosity)
