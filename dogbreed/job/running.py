"""A job's work: the run that was sent, and what it leaves."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from dogbreed.allocator import keep_freed_memory
from dogbreed.composed_command import printing_once
from dogbreed.composed_run import CONF, part
from dogbreed.composed_trial import run_trial
from dogbreed.job.environment import JobEnvironment, read_environment
from dogbreed.job.failure import status_of
from dogbreed.job.hyperparameters import overrides
from dogbreed.job.settings import job_overrides
from dogbreed.job.shipped_run import ShippedRun, read_run
from dogbreed.overrides import check_overrides


def run_job() -> int:
    """Do what the job is for; the exit status."""
    environment = read_environment(os.environ)
    archive = Path(sys.argv[0]).parent
    with printing_once():
        return status_of(partial(_work, archive, environment), environment.output_dir / "failure")


def _work(archive: Path, environment: JobEnvironment) -> None:
    from dogbreed.training.interruption import Interruption

    keep_freed_memory()
    sent = read_run(archive / "run.json")
    given = [*sent.overrides, *overrides(environment.hyperparameters)]
    cfg = _composed(job_overrides(given, environment, trial=sent.trial), trial=sent.trial)
    output_dir, interruption = Path(cfg.paths.output_dir), Interruption()
    output_dir.mkdir(parents=True, exist_ok=True)
    if sent.trial:
        _trial(cfg, sent, interruption)
    else:
        _run(cfg, given, interruption)
    if environment.writes:
        _leave(cfg, output_dir, trial=sent.trial)


def _composed(settings: Sequence[str], *, trial: bool) -> DictConfig:
    cfg = check_overrides(CONF, "train", settings)
    # A trial of a search records nothing.
    if trial or not cfg.debugger.trial:
        return cfg
    from dogbreed.job.tensor_recording import why_nothing_is_recorded, without_recording

    reason = why_nothing_is_recorded(Path(cfg.paths.cache_dir))
    if reason is None:
        return cfg
    print(f"warning: no tensors are recorded, the run goes on with its own rules. {reason}", flush=True)
    return check_overrides(CONF, "train", without_recording(settings))


def _run(cfg: DictConfig, given: Sequence[str], interruption: Any) -> None:
    from dogbreed.train import run

    run(cfg, interruption, command=["python", "-m", "dogbreed.train", *given])


def _trial(cfg: DictConfig, sent: ShippedRun, interruption: Any) -> None:
    from dogbreed.data.check import describe, usable_folder

    data = part(cfg.data, "data")
    data.prepare_data()
    checked = usable_folder(data.root, seed=data.seed, cache_dir=data.cache_dir, left_out=sent.left_out)
    print(describe(checked), flush=True)
    with interruption.listening():
        run_trial(cfg, interruption, checked=checked)


def _leave(cfg: DictConfig, output_dir: Path, *, trial: bool) -> None:
    from dogbreed.job.results import leave_model, leave_rest

    if not trial:
        leave_model(output_dir, Path(cfg.paths.model_dir))
    leave_rest(output_dir, Path(cfg.paths.output_data_dir))
