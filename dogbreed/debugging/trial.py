"""A trial on disk, given to the rules: our own, one of a SageMaker job, or one that a crash has left."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rule import Mode
from dogbreed.errors import DataError


@dataclass(frozen=True)
class Contents:
    """What a trial holds.

    Attributes:
        tensors: the collections of each tensor.
        steps: how many steps of each mode were recorded.
        complete: whether the run that wrote it said that it was done.
        nbytes: on disk.
    """

    tensors: dict[str, tuple[str, ...]]
    steps: dict[str, int]
    complete: bool
    nbytes: int


def find_trials(folder: Path) -> list[Path]:
    """The trials of a run's folder in the order of its fits, or the folder itself where it is one.

    Raises:
        DataError: there is none, or nothing was recorded before the run ended.
    """
    if (folder / "collections").is_dir() or (folder / "events").is_dir():
        found = [folder]
    else:
        named = {_number(path): path for path in folder.glob("debugger*") if path.is_dir() and _number(path)}
        found = [named[number] for number in sorted(named)]
    usable = [path for path in found if _is_readable(path)]
    if not usable:
        raise DataError(
            f"Expected a trial in {folder}, found {'one without a complete step' if found else 'none'}. A run with "
            "debugger=full leaves one in its folder."
        )
    return usable


def read_trials(trials: list[Path], recorded: Recorded) -> Contents:
    """Give all recorded tensors to the rules, step by step: memory does not grow with the trial."""
    opened = [_open(path) for path in trials]
    held = [_collections(trial) for trial in opened]
    for number, trial in enumerate(opened):
        end = _first_training_step(opened[number + 1]) if number + 1 < len(opened) else None
        for step in _steps(trial):
            mode, mode_step = trial.mode_modestep(step)
            if end is not None and mode.name == "TRAIN" and mode_step >= end:
                break
            phase: Mode = "EVAL" if mode.name in ("EVAL", "PREDICT") else "TRAIN"
            _give(trial, step, held[number], phase, mode_step, recorded)
    return Contents(
        {name: collections for found in held for name, collections in found.items()},
        _counts(opened),
        (trials[-1] / "training_job_end.ts").exists(),
        sum(path.stat().st_size for trial in trials for path in trial.rglob("*") if path.is_file()),
    )


def _number(path: Path) -> int:
    found = re.fullmatch(r"debugger(?:-(\d+))?", path.name)
    return int(found[1] or 1) if found else 0


def _is_readable(path: Path) -> bool:
    """Whether smdebug can open it without waiting for files that no process writes any more."""
    files = list((path / "collections").glob("*/worker_*_collections.json"))
    if not files:
        return False
    try:
        workers = int(json.loads(files[0].read_text())["_meta"]["num_workers"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return len(files) >= workers and any((path / "index").rglob("*.json"))


def _open(path: Path) -> Any:
    from dogbreed.debugging.hooks import smdebug_pytorch

    smdebug_pytorch()
    # Else it sleeps for a second whenever it finds that a run has ended.
    os.environ.setdefault("SMDEBUG_TRAINING_END_DELAY_REFRESH", "0")
    # Else it waits for minutes for each tensor whose file has been lost.
    os.environ.setdefault("SMDEBUG_MISSING_EVENT_FILE_RETRY_LIMIT", "0")
    from smdebug.trials import create_trial

    try:
        trial = create_trial(str(path))
        trial.refresh_data()
    except Exception as error:
        raise DataError(f"smdebug cannot read the trial {path}: {error}") from error
    # A run that crashed never says that it has ended: nothing more comes all the same.
    trial.dynamic_refresh = False
    return trial


def _counts(opened: list[Any]) -> dict[str, int]:
    """How many steps there are of each mode; those of a run without modes are of none."""
    steps: dict[str, set[int]] = {}
    for trial in opened:
        for step in _steps(trial):
            mode, mode_step = trial.mode_modestep(step)
            steps.setdefault(mode.name, set()).add(mode_step)
    return {mode: len(steps[mode]) for mode in sorted(steps, reverse=True)}


def _steps(trial: Any) -> list[int]:
    return sorted(trial.steps(show_incomplete_steps=True))


def _first_training_step(trial: Any) -> int | None:
    found = [trial.mode_modestep(step) for step in _steps(trial)]
    return min((mode_step for mode, mode_step in found if mode.name == "TRAIN"), default=None)


def _collections(trial: Any) -> dict[str, tuple[str, ...]]:
    of: dict[str, list[str]] = {}
    for name in trial.collections():
        for tensor in trial._tensors_in_collection(name):
            of.setdefault(tensor, []).append(name)
    return {tensor: tuple(of.get(tensor, ())) for tensor in trial.tensor_names()}


def _give(
    trial: Any, step: int, held: Mapping[str, tuple[str, ...]], mode: Mode, mode_step: int, recorded: Recorded
) -> None:
    for name in sorted(trial.tensor_names(step=step)):
        if recorded.wanting(name, held[name], mode):
            for value in _values(trial, name, step):
                recorded.record(name, held[name], mode, mode_step, value, step)


def _values(trial: Any, name: str, step: int) -> Iterator[Any]:
    try:
        yield trial.tensor(name).value(step)
    except Exception:
        # Only reductions of it were recorded, or its file is damaged or gone: which smdebug says in many ways.
        return
