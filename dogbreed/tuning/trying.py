"""One trial after another: ask for settings, try them, tell what came of it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dogbreed.errors import ConfigError, TrialError
from dogbreed.tuning.distributions import chosen, distributions, stored
from dogbreed.tuning.fixed_sampler import fixed
from dogbreed.tuning.search import Search
from dogbreed.tuning.space import Choice
from dogbreed.tuning.study import sampler
from dogbreed.tuning.trials import DEFAULT, EPOCHS, REASON, SECONDS, SLOT, counting, ended, folder

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
    return len(_combinations(search)) if search.strategy == "grid" else n_trials


def add_default(study: optuna.Study, search: Search, settings: Mapping[str, Any], outcome: Outcome) -> None:
    """Count a run with the default settings as the first trial, once, where the search could have chosen them."""
    import optuna

    if not all(parameter.contains(settings[name]) for name, parameter in search.space.items()):
        return
    if any(trial.user_attrs[SLOT] == 0 for trial in counting(study)):
        return
    trial = optuna.create_trial(
        params=stored(search.space, settings),
        distributions=distributions(search.space),
        value=outcome.value,
        intermediate_values=dict(enumerate(outcome.epochs)),
        user_attrs={SLOT: 0, DEFAULT: True, EPOCHS: len(outcome.epochs), SECONDS: outcome.seconds},
    )
    study.add_trial(trial)


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
        try_settings: runs a trial. `TrialError` and `ConfigError` fail the trial and not the search.
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
                chosen(search.space, trial.params), folder(trial.user_attrs[SLOT]), _teller(trial)
            )
        # Other faults are the machine's: the trial is tried again when they are mended.
        except (TrialError, ConfigError) as error:
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
    """A trial at the first free place, its settings decided by the place, the seed and the trials that have ended."""
    with asking:
        taken = {trial.user_attrs[SLOT] for trial in counting(study)}
        if len(taken) >= n_trials:
            return None
        slot = next(place for place in itertools.count() if place not in taken)
        own = int(np.random.SeedSequence([seed, slot]).generate_state(1)[0])
        if search.strategy == "grid":
            study.sampler = fixed(stored(search.space, _grid(study, search)[slot]))
        else:
            study.sampler = sampler(search, own, parallel=parallel)
        trial = study.ask(distributions(search.space))
        trial.set_user_attr(SLOT, slot)
        return trial


def _teller(trial: optuna.Trial) -> Enough:
    def enough(epoch: int, value: float) -> bool:
        if not np.isfinite(value):
            return False
        trial.report(value, epoch)
        return trial.should_prune()

    return enough


def _known(study: optuna.Study, search: Search, trial: optuna.Trial) -> Outcome | None:
    """The same settings give the same figures: they are not computed again."""
    same = [
        t for t in ended(study, search) if t.state == "complete" and stored(search.space, t.settings) == trial.params
    ]
    return Outcome(cast("float", same[0].value), [0.0] * same[0].epochs) if same else None


def _note(trial: optuna.Trial, notes: Mapping[str, Any]) -> None:
    for name, value in notes.items():
        trial.set_user_attr(name, value)


def _state(name: str) -> optuna.trial.TrialState:
    from optuna.trial import TrialState

    return TrialState[name]


def _combinations(search: Search) -> list[dict[str, Any]]:
    choices = [cast("Choice", parameter).values for parameter in search.space.values()]
    return [dict(zip(search.space, values, strict=True)) for values in itertools.product(*choices)]


def _grid(study: optuna.Study, search: Search) -> list[Mapping[str, Any]]:
    """The combinations by their places: that of the default settings is the first, where it is among them."""
    default: list[Mapping[str, Any]] = [trial.settings for trial in ended(study, search) if trial.default]
    return default + [settings for settings in _combinations(search) if settings not in default]
