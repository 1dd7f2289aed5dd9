"""An Optuna study in a file: what was tried stays, whatever ends the process."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dogbreed.errors import ConfigError, TrialError
from dogbreed.tuning.search import Search
from dogbreed.tuning.trials import INTERRUPTED

if TYPE_CHECKING:
    import optuna

# So many trials are never given up, and no trial before this share of its epochs: a low learning rate and large batches
# begin slowly, and are often the best in the end.
WARMUP_TRIALS, WARMUP_SHARE = 5, 1 / 3
SETTINGS = "settings"


def open_study(path: Path, search: Search, max_epochs: int) -> optuna.Study:
    """The study in a file, new or as it was left.

    Args:
        path: of the SQLite file.
        search: of the study.
        max_epochs: of a trial.

    Raises:
        ConfigError: Optuna is not installed, or the file is no study's.
    """
    optuna = _optuna()
    from sqlalchemy import URL
    from sqlalchemy.exc import SQLAlchemyError

    path.parent.mkdir(parents=True, exist_ok=True)
    # Optuna takes braces for places to fill.
    name = str(path).replace("{", "{{").replace("}", "}}")
    url = URL.create("sqlite", database=name).render_as_string(hide_password=False)
    try:
        storage = optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 60}})
        study: Any = optuna.create_study(
            study_name="dogbreed",
            storage=storage,
            direction=search.direction,
            pruner=_pruner(search, max_epochs),
            load_if_exists=True,
        )
    except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError) as error:
        raise ConfigError(f"Cannot read {path} as a study: {str(error).splitlines()[0]}") from error
    return study  # type: ignore[no-any-return]


def recover(study: optuna.Study) -> None:
    """Give the places of trials that nobody works on any more free again.

    To be called before a search begins, by the only process that works on the study. Nothing is lost with them: what
    chooses settings is seeded by the place, and the runs go on in the place's folder.
    """
    optuna = _optuna()
    for trial in study.get_trials(deepcopy=False):
        if trial.state.name == "RUNNING":
            # By its id: what `tell` takes must be a trial that this process has asked for.
            study._storage.set_trial_user_attr(trial._trial_id, INTERRUPTED, True)
            study._storage.set_trial_state_values(trial._trial_id, optuna.trial.TrialState.FAIL)


@contextmanager
def faults_of(path: Path) -> Iterator[None]:
    """A study's file that can no longer be read or written is a fault of the machine, told in a sentence.

    Raises:
        ConfigError: Optuna is not installed.
        TrialError: within the block the file could not be used.
    """
    optuna = _optuna()
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (optuna.exceptions.OptunaError, SQLAlchemyError) as error:
        cause = error.__cause__ or error
        raise TrialError(f"Cannot use {path}: {str(cause).splitlines()[0]}") from error


def sampler(search: Search, seed: int, *, parallel: bool = False) -> optuna.samplers.BaseSampler:
    """What chooses the settings of one trial.

    Args:
        search: of the study.
        seed: of this trial, so that a study that was interrupted goes on as if it had not been.
        parallel: whether other trials run at the same time.
    """
    from optuna.samplers import BaseSampler, RandomSampler, TPESampler

    makes: dict[str, Callable[[], BaseSampler]] = {
        "bayesian": lambda: TPESampler(seed=seed, constant_liar=parallel),
        "random": lambda: RandomSampler(seed=seed),
    }
    return makes[{"hyperband": "bayesian"}.get(search.strategy, search.strategy)]()


def check_same(study: optuna.Study, settings: Mapping[str, Any], differing: Callable[[Any, Any], list[str]]) -> None:
    """Note the settings of a new study; an old one must have the same.

    Raises:
        ConfigError: they differ.
    """
    old = study.user_attrs.get(SETTINGS)
    if old is None:
        study.set_user_attr(SETTINGS, dict(settings))
    elif different := differing(old, dict(settings)):
        raise ConfigError(
            f"This paths.output_dir holds a study with another {', '.join(different[:3])}. Choose another "
            "paths.output_dir, or give the same settings to go on with that study."
        )


def _pruner(search: Search, max_epochs: int) -> optuna.pruners.BasePruner:
    from optuna import pruners

    if search.strategy == "hyperband":
        return pruners.HyperbandPruner(max_resource=max_epochs)
    if not search.early_stopping:
        return pruners.NopPruner()
    return pruners.MedianPruner(n_startup_trials=WARMUP_TRIALS, n_warmup_steps=math.ceil(max_epochs * WARMUP_SHARE))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise ConfigError('A search needs Optuna: pip install -e ".[tuning]"') from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
