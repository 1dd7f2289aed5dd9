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
SLOT, INTERRUPTED, EPOCHS, SECONDS, REASON, DEFAULT = "slot", "interrupted", "epochs", "seconds", "reason", "default"
STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


@dataclass(frozen=True)
class Trial:
    """A trial that has ended.

    Attributes:
        number: its place in the study, from 0; a trial that was cut off is tried again at its place.
        state: "complete", "pruned" (given up early) or "failed".
        value: of the metric; None where it failed.
        settings: that were chosen.
        epochs: that were trained.
        seconds: that it took.
        reason: why it failed.
        default: whether the settings are the run's own.
    """

    number: int
    state: str
    value: float | None
    settings: Mapping[str, Any]
    epochs: int = 0
    seconds: float = 0.0
    reason: str = ""
    default: bool = False

    @property
    def folder(self) -> str:
        """Of what it leaves, below the study's."""
        return folder(self.number)


def ended(study: optuna.Study, search: Search) -> list[Trial]:
    """The trials that count, in their order: those that were interrupted are tried again."""
    trials = [
        Trial(
            trial.user_attrs[SLOT],
            STATES[trial.state.name],
            _value(trial),
            chosen(search.space, trial.params),
            trial.user_attrs.get(EPOCHS, 0),
            trial.user_attrs.get(SECONDS, 0.0),
            trial.user_attrs.get(REASON, ""),
            trial.user_attrs.get(DEFAULT, False),
        )
        for trial in counting(study)
        if trial.state.name in STATES
    ]
    return sorted(trials, key=lambda trial: trial.number)


def counting(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The trials at a place of the study, those under way too."""
    trials = study.get_trials(deepcopy=False)
    return [trial for trial in trials if SLOT in trial.user_attrs and INTERRUPTED not in trial.user_attrs]


def folder(number: int) -> str:
    """A trial's folder, below the study's; one that is tried again goes on in the one it had."""
    return f"trials/{number:03d}"


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
