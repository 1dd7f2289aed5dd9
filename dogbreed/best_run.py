"""The run with the best settings of a study: the only one that is tested, and whose model is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

from dogbreed import train
from dogbreed.atomic import write_text
from dogbreed.composed_run import plain
from dogbreed.composed_study import Runs, with_settings
from dogbreed.tuning.trials import Trial

# What a run leaves that a run with other settings must not find.
OF_A_RUN = ("config.yaml", "metrics.json", "checkpoints", "model")


def train_best(runs: Runs, winner: Trial, command: Sequence[str]) -> dict[str, Any]:
    """A whole run in the trial's own folder; its model and its figures become the study's.

    Args:
        runs: of the study.
        winner: the best trial.
        command: that makes the same run, for its report.

    Returns:
        What its `metrics.json` holds.

    Raises:
        DogbreedError: as `dogbreed.train.run`.
        Interrupted: a signal asked to stop; the same call goes on.
    """
    folder = runs.folder / winner.folder
    folder.mkdir(parents=True, exist_ok=True)
    print(
        f"Training with the settings of trial {winner.number} again, to test them and keep the model; its own lines go "
        f"to {folder / 'log.txt'}",
        flush=True,
    )
    cfg = with_settings(runs.cfg, {**winner.settings, "paths.output_dir": str(folder)})
    _begin_anew_where_settings_differ(folder, cfg)
    with (folder / "log.txt").open("a") as log, redirect_stdout(log):
        train.run(cfg, runs.interruption, checked=runs.checked, command=command)
    return _published(folder, runs.folder)


def _begin_anew_where_settings_differ(folder: Path, cfg: DictConfig) -> None:
    """The study's folder has the command's settings, of which some decide no trial: they may change."""
    from dogbreed.training.notices import differing

    config = folder / "config.yaml"
    if config.exists() and differing(yaml.safe_load(config.read_text()), plain(cfg)):
        for name in OF_A_RUN:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _published(folder: Path, study: Path) -> dict[str, Any]:
    """Copy model and figures; the figures last: where they are, the model is whole."""
    metrics, text = study / "metrics.json", (folder / "metrics.json").read_text()
    metrics.unlink(missing_ok=True)
    shutil.rmtree(study / "model", ignore_errors=True)
    shutil.copytree(folder / "model", study / "model")
    write_text(metrics, text)
    results: dict[str, Any] = json.loads(text)
    return results
