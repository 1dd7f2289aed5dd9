"""Trials as a table for a terminal, the best first."""

from __future__ import annotations

from collections.abc import Sequence

from dogbreed.tuning.progress import short
from dogbreed.tuning.search import Search
from dogbreed.tuning.trial_order import best_first
from dogbreed.tuning.trials import Trial

# Further rows say little that the page does not say better.
ROWS = 20
SAID = {"complete": "", "pruned": "given up", "failed": "failed"}


def trial_table(trials: Sequence[Trial], search: Search) -> str:
    """The best trials with their settings; those that were given up or failed come last.

    >>> from dogbreed.tuning.space import Uniform
    >>> trials = [Trial(0, "complete", 0.5, {"model.dropout": 0.1}), Trial(1, "complete", 0.4, {"model.dropout": 0.2})]
    >>> print(trial_table(trials, Search({"model.dropout": Uniform(0.0, 0.5)})))
      trial  val/loss  dropout  epochs
          1    0.4000   0.2000       0
          0    0.5000   0.1000       0
    """
    names = [name.rpartition(".")[2] for name in search.space]
    rows = [["trial", search.metric, *names, "epochs", ""]]
    rows += [_row(trial, search) for trial in best_first(trials, search.direction)[:ROWS]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    more = [f"  … {len(trials) - ROWS} more in trials.csv"] if len(trials) > ROWS else []
    return "\n".join([*(f"  {line}" for line in lines), *more])


def _row(trial: Trial, search: Search) -> list[str]:
    value = "" if trial.value is None else short(trial.value)
    settings = [short(trial.settings[name]) if name in trial.settings else "" for name in search.space]
    return [str(trial.number), value, *settings, str(trial.epochs), SAID[trial.state]]
