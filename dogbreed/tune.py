"""`python -m dogbreed.tune`: search for better settings, and train with the best of them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from dogbreed import train
from dogbreed.atomic import write_text
from dogbreed.command_line import run_command
from dogbreed.composed_command import begin, told_in_one_line
from dogbreed.composed_run import CONF, part, plain, rehearse
from dogbreed.composed_study import STUDY, Runs, composed_search, run_of, with_settings, work
from dogbreed.data.lock import locked
from dogbreed.errors import ConfigError, TrialError
from dogbreed.seed_comparison import DEFAULT, over_seeds
from dogbreed.tuning.best_settings import experiment_file, pasted, train_command
from dogbreed.tuning.page import write_page
from dogbreed.tuning.progress import Progress, short
from dogbreed.tuning.search import Search
from dogbreed.tuning.study import check_same, open_study, recover
from dogbreed.tuning.table import trial_table
from dogbreed.tuning.trials import Trial, best, ended, write_trials
from dogbreed.tuning.trying import budget, enqueue_grid, run_trials
from dogbreed.tuning.workers import share_work

if TYPE_CHECKING:
    import optuna

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
    output_dir = Path(cfg.paths.output_dir)
    # Fixed: another process would read another time of the day.
    cfg.paths.output_dir = str(output_dir)
    search, data = _checked(cfg)
    with locked(output_dir / STUDY, partial(_busy, output_dir)):
        _tune(cfg, search, data, interruption)


def _busy(output_dir: Path) -> None:
    raise ConfigError(f"Another process is at work in {output_dir}. Choose another paths.output_dir, or wait.")


def _tune(cfg: DictConfig, search: Search, data: DogBreedDataModule, interruption: Interruption) -> None:
    output_dir = Path(cfg.paths.output_dir)
    runs, study = _opened(cfg, search, data, interruption)
    n_trials = budget(search, cfg.n_trials)
    print("\n".join(_before(cfg, search, n_trials)), flush=True)
    with interruption.listening():
        default = over_seeds(study, runs, {}, DEFAULT)
        enqueue_grid(study, search)
        _try(cfg, study, runs, n_trials)
        winner = best(ended(study, search), search.direction)
        if winner is None:
            raise TrialError(f"No trial had a result; {output_dir / 'trials.csv'} says why.")
        again = default if winner.default else over_seeds(study, runs, winner.settings, winner.folder)
    command = train_command(sys.argv[1:], winner.settings, _experiment())
    _train_best(runs, winner, command)
    comment = f"The best of {len(ended(study, search))} trials: {search.metric} {short(winner.value)}."
    file = experiment_file(winner.settings, comment, _experiment())
    write_text(output_dir / "best.yaml", file)
    said = write_page(
        output_dir, study, search, winner, command=pasted(command), file=file, default=default, again=again
    )
    table = trial_table(ended(study, search), search)
    print("\n".join([table, *_figures(output_dir), said, *_after(output_dir, command)]))


def _checked(cfg: DictConfig) -> tuple[Search, DogBreedDataModule]:
    """Everything that can be wrong with the settings is told here."""
    for name in ("n_trials", "n_jobs"):
        if not isinstance(cfg[name], int) or cfg[name] < 1:
            raise ConfigError(f"Expected {name} to be a whole number of at least 1, got {cfg[name]!r}.")
    search, data = composed_search(cfg), part(cfg.data, "data")
    rehearse(cfg.model)
    return search, data


def _opened(
    cfg: DictConfig, search: Search, data: DogBreedDataModule, interruption: Interruption
) -> tuple[Runs, optuna.Study]:
    """The study as it was left, and the runs that it is made of."""
    from dogbreed.training.notices import differing

    output_dir = Path(cfg.paths.output_dir)
    study = open_study(output_dir / STUDY, search, cfg.trainer.max_epochs)
    settings = {name: value for name, value in plain(cfg).items() if name not in ("n_trials", "n_jobs")}
    check_same(study, settings, differing)
    recover(study)
    data.prepare_data()
    data.setup()
    return Runs(run_of(cfg), search, output_dir, data.checked, interruption), study


def _try(cfg: DictConfig, study: optuna.Study, runs: Runs, n_trials: int) -> None:
    table, progress = runs.folder / "trials.csv", Progress(runs.search, n_trials, ended(study, runs.search))

    def after() -> None:
        trials = ended(study, runs.search)
        progress.show(trials)
        write_trials(table, trials, runs.search)

    try:
        if cfg.n_jobs > 1:
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


def _train_best(runs: Runs, winner: Trial, command: Sequence[str]) -> None:
    """A whole run with the best settings, in the trial's own folder; its model and figures are the study's."""
    folder = runs.folder / winner.folder
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Training with the settings of trial {winner.number}, to test them and keep the model: {folder}", flush=True)
    cfg = with_settings(runs.cfg, {**winner.settings, "paths.output_dir": str(folder)})
    with (folder / "log.txt").open("a") as log, redirect_stdout(log):
        train.run(cfg, runs.interruption, checked=runs.checked, command=command)
    metrics = runs.folder / "metrics.json"
    metrics.unlink(missing_ok=True)
    shutil.rmtree(runs.folder / "model", ignore_errors=True)
    shutil.copytree(folder / "model", runs.folder / "model")
    write_text(metrics, (folder / "metrics.json").read_text())


def _before(cfg: DictConfig, search: Search, n_trials: int) -> list[str]:
    at_once = f", {cfg.n_jobs} at once" if cfg.n_jobs > 1 else ""
    return [
        f"Searching {', '.join(search.space)} by {search.metric}: {n_trials} trials{at_once} ({search.strategy}), "
        f"and the default settings over {search.seeds} seeds.",
        f"Writing to {cfg.paths.output_dir}; interrupted, the same command with "
        f"paths.output_dir={cfg.paths.output_dir} goes on.",
    ]


def _figures(output_dir: Path) -> list[str]:
    from dogbreed.training.notices import figures

    results = json.loads((output_dir / "metrics.json").read_text())
    return [f"Test ({results['judged']['photos']} photos): {', '.join(figures(results))}"]


def _after(output_dir: Path, command: Sequence[str]) -> list[str]:
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
