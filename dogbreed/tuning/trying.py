"""One trial after another: ask for settings, try them, tell what came of it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dogbreed.errors import DogbreedError
from dogbreed.tuning.distributions import chosen, distributions, stored
from dogbreed.tuning.search import Search
from dogbreed.tuning.space import Choice
from dogbreed.tuning.study import sampler
from dogbreed.tuning.trials import DEFAULT, EPOCHS, INTERRUPTED, REASON, SECONDS, ended, folder

if TYPE_CHECKING:
    import optuna

# Is told an epoch, counted from 0, and its value, and says whether the trial may be given up.
Enough = Callable[[int, float], bool]


def never(epoch: int, value: float) -> bool:  # noqa: ARG001
    """No trial is given up."""
    return False


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        value: of the metric at the epoch whose weights are kept.
        epochs: the value of every epoch.
        given_up: whether it was told to end early.
        seconds: that it took.
    """

    value: float
    epochs: Sequence[float] = field(default_factory=list)
    given_up: bool = False
    seconds: float = 0.0


# Is given settings, the name of a folder for what the trial leaves, and whom to tell each epoch's value.
Try = Callable[[Mapping[str, Any], str, Enough], Outcome]


def budget(search: Search, n_trials: int) -> int:
    """How many trials a search has: as many as it is given, but a grid as many as it has combinations."""
    return len(_grid(search)) if search.strategy == "grid" else n_trials


def enqueue_grid(study: optuna.Study, search: Search) -> None:
    """Let the trials of a grid wait for their turn, those aside that a study knows already."""
    if search.strategy == "grid":
        known = [dict(trial.params or trial.system_attrs.get("fixed_params", {})) for trial in study.trials]
        for settings in _grid(search):
            if (parameters := stored(search.space, settings)) not in known:
                study.enqueue_trial(parameters)


def add_default(study: optuna.Study, search: Search, settings: Mapping[str, Any], outcome: Outcome) -> bool:
    """Count a run with the default settings as the first trial, once, where the search could have chosen them."""
    import optuna

    if any(trial.default for trial in ended(study, search)):
        return True
    if not all(parameter.contains(settings[name]) for name, parameter in search.space.items()):
        return False
    trial = optuna.create_trial(
        params=stored(search.space, settings),
        distributions=distributions(search.space),
        value=outcome.value,
        intermediate_values=dict(enumerate(outcome.epochs)),
        user_attrs={DEFAULT: True, EPOCHS: len(outcome.epochs), SECONDS: outcome.seconds},
    )
    study.add_trial(trial)
    return True


def run_trials(
    study: optuna.Study,
    search: Search,
    try_settings: Try,
    *,
    n_trials: int,
    seed: int,
    asking: AbstractContextManager[Any] | None = None,
    parallel: bool = False,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Run trials until there are as many as wanted; those of earlier calls count.

    Args:
        study: that is asked and told.
        search: of the study.
        try_settings: runs a trial. What it raises of `DogbreedError` fails the trial and not the search.
        n_trials: in all.
        seed: of the search.
        asking: is entered while a trial is begun: a lock where several processes share the study.
        parallel: whether they do.
        after: is called after each trial.
    """
    while trial := _begun(study, search, n_trials, seed, asking or nullcontext(), parallel):
        began = time.monotonic()
        try:
            outcome = _known(study, search, trial) or try_settings(
                chosen(search.space, trial.params), folder(trial), _teller(trial)
            )
        except DogbreedError as error:
            _note(trial, {REASON: str(error), SECONDS: time.monotonic() - began})
            study.tell(trial, state=_state("FAIL"))
        else:
            _note(trial, {EPOCHS: len(outcome.epochs), SECONDS: time.monotonic() - began})
            study.tell(
                trial, None if outcome.given_up else outcome.value, _state("PRUNED") if outcome.given_up else None
            )
        after()


def _begun(
    study: optuna.Study,
    search: Search,
    n_trials: int,
    seed: int,
    asking: AbstractContextManager[Any],
    parallel: bool,
) -> optuna.Trial | None:
    with asking:
        trials = study.get_trials(deepcopy=False)
        counting = [t for t in trials if t.state.name != "WAITING" and INTERRUPTED not in t.user_attrs]
        if len(counting) >= n_trials:
            return None
        own = int(np.random.SeedSequence([seed, len(counting)]).generate_state(1)[0])
        study.sampler = sampler(search, own, parallel=parallel)
        return study.ask(distributions(search.space))


def _teller(trial: optuna.Trial) -> Enough:
    def enough(epoch: int, value: float) -> bool:
        if not np.isfinite(value):
            return False
        trial.report(value, epoch)
        return trial.should_prune()

    return enough


def _known(study: optuna.Study, search: Search, trial: optuna.Trial) -> Outcome | None:
    """The same settings give the same figures: they are not computed again."""
    settings = chosen(search.space, trial.params)
    same = [t for t in ended(study, search) if t.state == "complete" and t.settings == settings]
    return Outcome(cast("float", same[0].value), [0.0] * same[0].epochs) if same else None


def _note(trial: optuna.Trial, notes: Mapping[str, Any]) -> None:
    for name, value in notes.items():
        trial.set_user_attr(name, value)


def _state(name: str) -> optuna.trial.TrialState:
    from optuna.trial import TrialState

    return TrialState[name]


def _grid(search: Search) -> list[dict[str, Any]]:
    choices = [cast("Choice", parameter).values for parameter in search.space.values()]
    return [dict(zip(search.space, values, strict=True)) for values in itertools.product(*choices)]
