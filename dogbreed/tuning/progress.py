"""What a search says while it runs: a line a trial, and a bar with the best so far."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm import tqdm

from dogbreed.epoch_line import fixed_point
from dogbreed.tuning.search import Search
from dogbreed.tuning.trials import Trial, best


class Progress:
    """Prints each trial once, when it has ended.

    Args:
        search: of the study.
        n_trials: in all.
        known: trials of earlier calls.
    """

    def __init__(self, search: Search, n_trials: int, known: Sequence[Trial]) -> None:
        self._search = search
        self._total = n_trials
        self._seen = {trial.number for trial in known}
        self._bar = tqdm(
            total=n_trials,
            initial=len(known),
            desc="Trials",
            unit="trial",
            disable=not sys.stderr.isatty(),
            leave=False,
        )

    def show(self, trials: Sequence[Trial]) -> bool:
        """Print those of the trials that have ended since the last call; whether there were any."""
        news = any(trial.number not in self._seen for trial in trials)
        best_trial = best(trials, self._search.direction)
        for place, trial in enumerate(trials, start=1):
            if trial.number not in self._seen:
                self._seen.add(trial.number)
                with tqdm.external_write_mode():
                    print(line(trial, self._search.metric, place, self._total, best_trial), flush=True)
                self._bar.update()
        if best_trial:
            self._bar.set_postfix_str(f"best {self._search.metric} {short(best_trial.value)}")
        return news

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


def line(trial: Trial, metric: str, place: int, total: int, best_trial: Trial | None) -> str:
    """A trial in a line; a star marks the best so far."""
    star = "*" if best_trial and best_trial.number == trial.number else " "
    said = "failed: " + trial.reason if trial.state == "failed" else f"{metric} {short(trial.value)}"
    given_up = f"  given up after {trial.epochs} epochs" if trial.state == "pruned" else ""
    return f"trial {place:>3}/{total}{star} {said}  {shown(trial.settings)}  {trial.seconds:.1f} s{given_up}"


def shown(settings: Mapping[str, Any]) -> str:
    """Settings in a line, by their own names without those of their groups."""
    return " ".join(f"{name.rpartition('.')[2]}={short(value)}" for name, value in settings.items())


def short(value: Any) -> str:
    """A value in a line.

    >>> short(0.00012345), short([512]), short(None)
    ('0.0001234', '[512]', 'null')
    """
    if value is None:
        return "null"
    return fixed_point(value, 4) if isinstance(value, float) else str(value).replace(" ", "")
