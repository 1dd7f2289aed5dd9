"""Trials as plain values, read from a study."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dogbreed.atomic import write_text
from dogbreed.tuning.distributions import chosen
from dogbreed.tuning.search import Search

if TYPE_CHECKING:
    import optuna

# What a study notes of a trial beside its value.
INTERRUPTED, EPOCHS, SECONDS, REASON, FOLDER, DEFAULT = (
    "interrupted",
    "epochs",
    "seconds",
    "reason",
    "folder",
    "default",
)
STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


@dataclass(frozen=True)
class Trial:
    """A trial that has ended.

    Attributes:
        number: in the order in which they began.
        state: "complete", "pruned" (given up early) or "failed".
        value: of the metric; None where it failed.
        settings: that were chosen.
        epochs: that were trained.
        seconds: that it took.
        reason: why it failed.
        folder: of the trial, below the study's.
        default: whether the settings are the run's own.
    """

    number: int
    state: str
    value: float | None
    settings: Mapping[str, Any]
    epochs: int = 0
    seconds: float = 0.0
    reason: str = ""
    folder: str = ""
    default: bool = False


def ended(study: optuna.Study, search: Search) -> list[Trial]:
    """The trials that count, in their order: those that were interrupted are tried again."""
    return [
        Trial(
            trial.number,
            STATES[trial.state.name],
            _value(trial),
            chosen(search.space, trial.params),
            trial.user_attrs.get(EPOCHS, 0),
            trial.user_attrs.get(SECONDS, 0.0),
            trial.user_attrs.get(REASON, ""),
            folder(trial),
            trial.user_attrs.get(DEFAULT, False),
        )
        for trial in study.get_trials(deepcopy=False)
        if trial.state.name in STATES and INTERRUPTED not in trial.user_attrs
    ]


def folder(trial: optuna.trial.FrozenTrial | optuna.Trial) -> str:
    """The trial's folder, below the study's; a trial that is tried again goes on in the one it had."""
    return str(trial.user_attrs.get(FOLDER, f"trials/{trial.number:03d}"))


def best(trials: Sequence[Trial], direction: str) -> Trial | None:
    """The best of those that were complete; of equal ones the earliest."""
    complete = [trial for trial in trials if trial.state == "complete" and trial.value is not None]
    sign = 1 if direction == "minimize" else -1
    return min(complete, key=lambda trial: (sign * trial.value, trial.number), default=None)  # type: ignore[operator]


def write_trials(path: Path, trials: Sequence[Trial], search: Search) -> None:
    """Write a table of trials.

    Raises:
        OSError: it could not be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["number", "state", search.metric, "epochs", "seconds", *search.space, "reason"])
    for trial in trials:
        value = "" if trial.value is None else trial.value
        settings = [trial.settings.get(name, "") for name in search.space]
        writer.writerow(
            [trial.number, trial.state, value, trial.epochs, round(trial.seconds, 2), *settings, trial.reason]
        )
    write_text(path, text.getvalue())


def _value(trial: optuna.trial.FrozenTrial) -> float | None:
    if trial.state.name == "PRUNED":
        return trial.intermediate_values[max(trial.intermediate_values)] if trial.intermediate_values else None
    return trial.value
