"""Trials of a composed configuration: runs without a model at the end, for their validation figures alone."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from dogbreed.atomic import write_text
from dogbreed.command_line import fail
from dogbreed.composed_run import check_kinds, part, plain, rehearse
from dogbreed.composed_trial import run_trial
from dogbreed.errors import ConfigError, DogbreedError
from dogbreed.tuning.search import Search, check_settings
from dogbreed.tuning.space import Choice
from dogbreed.tuning.study import faults_of, open_study
from dogbreed.tuning.trying import Enough, Outcome, never, run_trials

if TYPE_CHECKING:
    from dogbreed.data.check import CheckedFolder
    from dogbreed.training.interruption import Interruption

# What is of no account before the best settings are trained with.
AFTERWARDS = ("evaluation", "report")
# What a study's configuration has and a run's has not.
OWN = ("search", "n_trials", "n_jobs")
STUDY = "study.db"
# What says in its constructor what it cannot use.
CONSTRUCTED: dict[str, Callable[[DictConfig], Any]] = {
    "model": rehearse,
    **{name: partial(part, name=name) for name in ("data", "trainer", "callbacks")},
}


@dataclass(frozen=True)
class Runs:
    """Runs of one configuration with some of its settings changed, below one folder.

    Args:
        cfg: of the run.
        search: what counts.
        folder: of the study.
        checked: the folder of photos, the same split for every run.
        interruption: says whether a signal has asked to stop.
    """

    cfg: DictConfig
    search: Search
    folder: Path
    checked: CheckedFolder
    interruption: Interruption

    def __call__(
        self,
        settings: Mapping[str, Any],
        name: str,
        enough: Enough = never,
        *,
        quietly: bool = True,
    ) -> Outcome:
        """Train with these settings, or go on where it was interrupted.

        Args:
            settings: that differ from the configuration's.
            name: of the run's folder.
            enough: is told each epoch's value, and says whether the run may end.
            quietly: whether what it prints goes to `log.txt` in its folder.

        Raises:
            TrialError: no epoch had a validation loss that is a number, or the device has too little memory.
            Interrupted: a signal asked to stop.
        """
        self.interruption.stop_if_asked()
        began, folder = time.monotonic(), self.folder / name
        _make_own(folder, settings)
        with _log(folder / "log.txt") if quietly else nullcontext():
            figures, best = run_trial(
                with_settings(self.cfg, {**settings, "paths.output_dir": str(folder)}),
                self.interruption,
                checked=self.checked,
                enough=lambda epoch, seen: enough(epoch, seen[self.search.metric]),
            )
        epochs = [epoch[self.search.metric] for epoch in figures.epochs]
        return Outcome(best[self.search.metric], epochs, figures.given_up, time.monotonic() - began)


def _make_own(folder: Path, settings: Mapping[str, Any]) -> None:
    """A folder for a run with these settings: what a run with others left there is no beginning of it."""
    own, text = folder / "settings.json", json.dumps(settings, sort_keys=True)
    if folder.exists() and not (own.exists() and own.read_text() == text):
        shutil.rmtree(folder)
    write_text(own, text)


def run_of(cfg: DictConfig) -> DictConfig:
    """The configuration of a run, of a study's."""
    return OmegaConf.masked_copy(cfg, [str(name) for name in cfg if name not in OWN])


def deciding(cfg: DictConfig) -> dict[str, Any]:
    """The settings of a study's configuration that decide what its trials give; a study has the same for all."""
    settings = {name: value for name, value in plain(cfg).items() if name not in ("n_trials", "n_jobs", *AFTERWARDS)}
    settings["search"] = {name: value for name, value in settings["search"].items() if name != "seeds"}
    settings["trainer"] = {name: value for name, value in settings["trainer"].items() if name != "limit_test_batches"}
    return settings


def with_settings(cfg: DictConfig, settings: Mapping[str, Any]) -> DictConfig:
    """A configuration with some settings changed, by their full names."""
    changed = cfg.copy()
    for name, value in settings.items():
        OmegaConf.update(changed, name, value, merge=False)
    return changed


def composed_search(cfg: DictConfig) -> Search:
    """The search of a study's configuration, every setting of it tried on the run's own checks.

    Raises:
        ConfigError: an unknown setting, or a value that a run cannot use.
    """
    from dogbreed.training.notices import FREE_SETTINGS

    search: Search = part(cfg.search, "search")
    run = run_of(cfg)
    check_settings(search.space, plain(run), FREE_SETTINGS)
    for name, parameter in search.space.items():
        for value in parameter.values if isinstance(parameter, Choice) else (parameter.low, parameter.high):
            _check_value(run, name, value)
    if cfg.lr_find:
        raise ConfigError("Expected lr_find=false: a search would find one learning rate, and lr_find another.")
    return search


def work(
    cfg: Mapping[str, Any], search: Search, checked: CheckedFolder, n_trials: int, lock: AbstractContextManager[Any]
) -> None:
    """Run trials beside other processes, until there are enough.

    Args:
        cfg: of a run, its interpolations as they are; `paths.output_dir` is the study's folder.
        search: of the study.
        checked: the folder of photos.
        n_trials: in all.
        lock: of all processes.
    """
    from dogbreed.training.interruption import Interrupted, Interruption

    config, interruption = OmegaConf.create(dict(cfg)), Interruption()
    folder = Path(config.paths.output_dir)
    runs = Runs(config, search, folder, checked, interruption)
    study = open_study(folder / STUDY, search, config.trainer.max_epochs)
    try:
        with interruption.listening(), faults_of(folder / STUDY):
            run_trials(study, search, runs, n_trials=n_trials, seed=config.seed, asking=lock, parallel=True)
    except Interrupted as interrupted:
        raise SystemExit(interrupted.exit_status) from None
    except DogbreedError as error:
        raise SystemExit(fail(str(error))) from None


def _check_value(run: DictConfig, name: str, value: Any) -> None:
    changed, group = with_settings(run, {name: value}), name.partition(".")[0]
    if isinstance(node := changed[group], DictConfig) and "_target_" in node:
        check_kinds(node, group)
        if group in CONSTRUCTED:
            CONSTRUCTED[group](node)


@contextmanager
def _log(path: Path) -> Iterator[None]:
    with path.open("a") as file, redirect_stdout(file):
        yield
