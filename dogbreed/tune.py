"""`python -m dogbreed.tune`: search for better settings, and train with the best of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from dogbreed import train
from dogbreed.atomic import write_text
from dogbreed.best_run import train_best
from dogbreed.command_line import run_command
from dogbreed.composed_command import begin, told_in_one_line
from dogbreed.composed_run import CONF, part, rehearse
from dogbreed.composed_study import STUDY, Runs, composed_search, deciding, run_of, work
from dogbreed.data.check import describe
from dogbreed.data.lock import locked
from dogbreed.errors import ConfigError, TrialError
from dogbreed.seed_comparison import DEFAULT, over_seeds
from dogbreed.tuning.best_settings import experiment_file, pasted, train_command
from dogbreed.tuning.page import write_page
from dogbreed.tuning.progress import Progress, short
from dogbreed.tuning.search import Search
from dogbreed.tuning.study import check_same, faults_of, open_study, recover
from dogbreed.tuning.table import trial_table
from dogbreed.tuning.trials import best, ended, write_trials
from dogbreed.tuning.trying import budget, run_trials
from dogbreed.tuning.workers import share_work

if TYPE_CHECKING:
    import optuna
    from pytorch_lightning import Trainer

    from dogbreed.data.datamodule import DogBreedDataModule
    from dogbreed.training.interruption import Interruption


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="tune")
def main(cfg: DictConfig) -> None:
    """Compose, search, train with the best settings, leave the page."""
    told_in_one_line(cfg, "python -m dogbreed.tune", tune)


def tune(cfg: DictConfig, interruption: Interruption) -> None:
    """What the command does, from where an earlier call with the same folder ended.

    Args:
        cfg: composed.
        interruption: says whether a signal has asked to stop.

    Raises:
        DogbreedError: what the user gave cannot be used, or no trial had a result.
        Interrupted: a signal asked to stop; what was tried is kept.
    """
    train.quiet()
    output_dir = Path(cfg.paths.output_dir)
    # Fixed: another process would read another time of the day.
    cfg.paths.output_dir = str(output_dir)
    study = output_dir / STUDY
    with faults_of(study):
        search, trainer, data = _checked(cfg, interruption)
        with locked(study, partial(_busy, output_dir)):
            _tune(cfg, Runs(run_of(cfg), search, output_dir, data.checked, interruption), _before(data, trainer))


def _checked(cfg: DictConfig, interruption: Interruption) -> tuple[Search, Trainer, DogBreedDataModule]:
    """Everything that can be wrong with what was given is told here."""
    from dogbreed.training.results import judged_splits

    for name in ("n_trials", "n_jobs"):
        if type(cfg[name]) is not int or cfg[name] < 1:
            raise ConfigError(f"Expected {name} to be a whole number of at least 1, got {cfg[name]!r}.")
    search = composed_search(cfg)
    trainer = train.composed_trainer(run_of(cfg), interruption)
    data = part(cfg.data, "data")
    rehearse(cfg.model)
    data.prepare_data()
    data.setup()
    judged_splits(trainer, data)
    return search, trainer, data


def _busy(output_dir: Path) -> None:
    raise ConfigError(f"Another process is at work in {output_dir}. Choose another paths.output_dir, or wait.")


def _tune(cfg: DictConfig, runs: Runs, notices: Sequence[str]) -> None:
    from dogbreed.training.notices import figures

    output_dir, search = runs.folder, runs.search
    study, n_trials = _opened(cfg, search), budget(search, cfg.n_trials)
    print("\n".join([*notices, *_beginning(cfg, search, n_trials)]), flush=True)
    with runs.interruption.listening():
        default = over_seeds(study, runs, {}, DEFAULT)
        _try(cfg, study, runs, n_trials)
        winner = best(ended(study, search), search.direction)
        if winner is None:
            raise TrialError(f"No trial had a result; {output_dir / 'trials.csv'} says why.")
        again = default if winner.default else over_seeds(study, runs, winner.settings, winner.folder)
    command = train_command(sys.argv[1:], winner.settings, _experiment())
    results = train_best(runs, winner, command)
    comment = f"The best of {len(ended(study, search))} trials: {search.metric} {short(winner.value)}."
    file = experiment_file(winner.settings, comment, _experiment())
    write_text(output_dir / "best.yaml", file)
    said = write_page(
        output_dir,
        study,
        search,
        winner,
        command=pasted(command),
        file=file,
        default=default,
        again=again,
        test=list(figures(results)),
        limits=results["limits"],
    )
    table = trial_table(ended(study, search), search)
    print("\n".join([table, *_end(results), said, *_left(output_dir, command)]))


def _opened(cfg: DictConfig, search: Search) -> optuna.Study:
    """The study as it was left."""
    from dogbreed.training.notices import differing

    study = open_study(Path(cfg.paths.output_dir) / STUDY, search, cfg.trainer.max_epochs)
    check_same(study, deciding(cfg), differing)
    recover(study)
    return study


def _try(cfg: DictConfig, study: optuna.Study, runs: Runs, n_trials: int) -> None:
    table, progress = runs.folder / "trials.csv", Progress(runs.search, n_trials, ended(study, runs.search))

    def after() -> None:
        trials = ended(study, runs.search)
        if progress.show(trials) or not table.exists():
            write_trials(table, trials, runs.search)

    try:
        if cfg.n_jobs > 1 and len(ended(study, runs.search)) < n_trials:
            config: Any = OmegaConf.to_container(runs.cfg)
            statuses = share_work(
                partial(work, config, runs.search, runs.checked, n_trials),
                cfg.n_jobs,
                stopping=lambda: runs.interruption.signal is not None,
                meanwhile=after,
            )
            runs.interruption.stop_if_asked()
            if any(statuses):
                raise TrialError(f"Of {cfg.n_jobs} processes some ended with status {max(statuses, key=abs)}.")
        else:
            run_trials(study, runs.search, runs, n_trials=n_trials, seed=cfg.seed, after=after)
        after()
    finally:
        progress.close()


def _before(data: DogBreedDataModule, trainer: Trainer) -> list[str]:
    from dogbreed.training.limits import limits

    return [*describe(data.checked).splitlines(), *(f"LIMITED RUN: {sentence}" for sentence in limits(trainer))]


def _beginning(cfg: DictConfig, search: Search, n_trials: int) -> list[str]:
    at_once = f", {cfg.n_jobs} at once" if cfg.n_jobs > 1 else ""
    seeds = f"{search.seeds} seeds" if search.seeds > 1 else "one seed"
    return [
        f"Searching {', '.join(search.space)} by {search.metric}: {n_trials} trials{at_once} ({search.strategy}), "
        f"and the default settings with {seeds}. Each run's own lines go to log.txt in its folder.",
        f"Writing to {cfg.paths.output_dir}; interrupted, the same command with "
        f"paths.output_dir={cfg.paths.output_dir} goes on.",
    ]


def _end(results: Mapping[str, Any]) -> list[str]:
    from dogbreed.training.notices import SAMPLE, figures

    return [
        f"Test ({results['judged']['photos']} photos): {', '.join(figures(results))}",
        *(f"LIMITED RUN: {sentence}" for sentence in results["limits"]),
        *([SAMPLE] if results["data"]["synthetic"] else []),
    ]


def _left(output_dir: Path, command: Sequence[str]) -> list[str]:
    return [
        f"Best settings: {output_dir / 'best.yaml'}, or: {pasted(command)}",
        f"Model: {output_dir / 'model'}. To use it: python -m dogbreed.predict model={output_dir / 'model'} PHOTO",
        f"Report: {output_dir / 'report.html'}",
    ]


def _experiment() -> str | None:
    return HydraConfig.get().runtime.choices.get("experiment") if HydraConfig.initialized() else None


def command() -> None:
    """The command with its faults told in one line."""
    begin(main, "tune")


if __name__ == "__main__":
    run_command(command)
