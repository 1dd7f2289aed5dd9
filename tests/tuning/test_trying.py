from __future__ import annotations

import csv
import math
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest

from dogbreed.errors import ConfigError, DataError, TrialError
from dogbreed.tuning import Choice, Integers, LogUniform, Space, Uniform
from dogbreed.tuning.search import Search
from dogbreed.tuning.study import check_same, open_study, recover
from dogbreed.tuning.trials import best, ended, write_trials
from dogbreed.tuning.trying import Enough, Outcome, add_default, budget, run_trials

SPACE: Space = {
    "model.learning_rate": LogUniform(1e-4, 1e-2),
    "model.dropout": Uniform(0.0, 0.5),
    "trainer.max_epochs": Integers(1, 9),
    "model.hidden": Choice([[], [256], None, True, "1e-05"]),
}
SEARCH = Search(SPACE, early_stopping=False)


class Tried:
    """A trial without a network: a bowl around a learning rate of 0.001."""

    def __init__(self, ending: Callable[[int], None] = lambda number: None) -> None:
        self.settings: list[dict[str, Any]] = []
        self.folders: list[str] = []
        self._ending = ending

    def __call__(self, settings: Mapping[str, Any], folder: str, enough: Enough) -> Outcome:
        self.settings.append(dict(settings))
        self.folders.append(folder)
        self._ending(len(self.settings))
        value = abs(math.log10(settings["model.learning_rate"]) + 3) + settings["model.dropout"]
        for epoch in range(5):
            if enough(epoch, value + 5 - epoch):
                return Outcome(value, [0.0] * (epoch + 1), given_up=True)
        return Outcome(value, [0.0] * 5)


def search_in(folder: Path, tried: Tried, n_trials: int, search: Search = SEARCH) -> optuna.Study:
    study = open_study(folder / "study.db", search, 5)
    recover(study)
    run_trials(study, search, tried, n_trials=n_trials, seed=42)
    return study


def test_every_trial_gets_settings_of_the_space_in_their_own_kinds(tmp_path: Path) -> None:
    tried = Tried()
    search_in(tmp_path, tried, 40)
    assert len(tried.settings) == 40
    assert all(SPACE[name].contains(value) for settings in tried.settings for name, value in settings.items())
    assert {str(settings["model.hidden"]) for settings in tried.settings} == {"[]", "[256]", "None", "True", "1e-05"}


def test_more_trials_go_on_with_the_same_study(tmp_path: Path) -> None:
    whole, parts = Tried(), Tried()
    search_in(tmp_path / "whole", whole, 14)
    for n_trials in (3, 12, 14, 14):
        search_in(tmp_path / "parts", parts, n_trials)
    assert parts.settings == whole.settings


@pytest.mark.parametrize("number", [1, 5, 13])
def test_a_trial_that_was_cut_off_is_tried_again_in_its_folder_and_changes_nothing(tmp_path: Path, number: int) -> None:
    def cut_off(seen: int) -> None:
        if seen == number:
            raise KeyboardInterrupt

    whole, cut, rest = Tried(), Tried(cut_off), Tried()
    search_in(tmp_path / "whole", whole, 14)
    with pytest.raises(KeyboardInterrupt):
        search_in(tmp_path / "cut", cut, 14)
    study = search_in(tmp_path / "cut", rest, 14)
    assert [*cut.settings[:-1], *rest.settings] == whole.settings
    assert rest.folders[0] == cut.folders[-1]
    assert len(set(cut.folders[:-1] + rest.folders)) == 14
    assert len(ended(study, SEARCH)) == 14


def test_a_trial_that_fails_says_why_and_the_search_goes_on(tmp_path: Path) -> None:
    def fail(seen: int) -> None:
        if seen % 2:
            raise TrialError("too little memory")

    tried = Tried(fail)
    study = search_in(tmp_path, tried, 6)
    trials = ended(study, SEARCH)
    assert [trial.state for trial in trials] == ["failed", "complete"] * 3
    assert trials[0].reason == "too little memory"
    write_trials(tmp_path / "trials.csv", trials, SEARCH)
    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["reason"] for row in rows] == ["too little memory", ""] * 3
    assert float(rows[1]["model.learning_rate"]) == trials[1].settings["model.learning_rate"]
    assert rows[0]["val/loss"] == ""


def test_a_fault_of_the_machine_ends_the_search_and_its_trial_is_tried_again(tmp_path: Path) -> None:
    def unplugged(seen: int) -> None:
        if seen == 3:
            raise DataError("the photos are gone")

    whole, cut, rest = Tried(), Tried(unplugged), Tried()
    search_in(tmp_path / "whole", whole, 5)
    with pytest.raises(DataError):
        search_in(tmp_path / "cut", cut, 5)
    study = search_in(tmp_path / "cut", rest, 5)
    assert [*cut.settings[:-1], *rest.settings] == whole.settings
    assert {trial.state for trial in ended(study, SEARCH)} == {"complete"}


def test_a_grid_that_is_cut_off_misses_no_combination(tmp_path: Path) -> None:
    def cut_off(seen: int) -> None:
        if seen == 2:
            raise KeyboardInterrupt

    space: Space = {"model.dropout": Choice([0.0, 0.1, 0.2]), "model.learning_rate": Choice([1e-3, 1e-2])}
    search = Search(space, strategy="grid", early_stopping=False)
    with pytest.raises(KeyboardInterrupt):
        search_in(tmp_path, Tried(cut_off), 6, search)
    study = search_in(tmp_path, Tried(), 6, search)
    assert len({str(trial.settings) for trial in ended(study, search)}) == 6


def test_a_fault_of_the_program_is_not_a_failed_trial(tmp_path: Path) -> None:
    def fault(seen: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        search_in(tmp_path, Tried(fault), 3)


def test_hopeless_trials_are_given_up(tmp_path: Path) -> None:
    search = Search(SPACE)
    study = search_in(tmp_path, Tried(), 30, search)
    trials = ended(study, search)
    given_up = [trial for trial in trials if trial.state == "pruned"]
    assert given_up
    assert all(2 < trial.epochs < 5 for trial in given_up)
    winner = best(trials, search.direction)
    assert winner is not None
    assert winner.value == min(trial.value for trial in trials if trial.state == "complete" and trial.value is not None)


def test_the_default_is_the_first_trial_where_the_search_could_have_chosen_it(tmp_path: Path) -> None:
    default = {"model.learning_rate": 1e-3, "model.dropout": 0.0, "trainer.max_epochs": 5, "model.hidden": []}
    study, outcome = open_study(tmp_path / "study.db", SEARCH, 5), Outcome(0.0, [0.5, 0.0])
    add_default(study, SEARCH, {**default, "model.dropout": 0.9}, outcome)
    assert ended(study, SEARCH) == []
    for _ in range(2):
        add_default(study, SEARCH, default, outcome)
    run_trials(study, SEARCH, Tried(), n_trials=4, seed=42)
    trials = ended(study, SEARCH)
    assert [trial.default for trial in trials] == [True, False, False, False]
    assert trials[0].settings == default
    assert best(trials, "minimize") == trials[0]


def test_a_grid_tries_every_combination_once_and_what_is_known_is_not_computed_again(tmp_path: Path) -> None:
    space: Space = {"model.learning_rate": Choice([1e-3, 1e-2]), "model.dropout": Choice([0.0, 0.1, 0.2])}
    search = Search(space, strategy="grid", early_stopping=False)
    assert budget(search, 20) == 6
    tried, study = Tried(), open_study(tmp_path / "study.db", search, 5)
    add_default(study, search, {"model.learning_rate": 1e-2, "model.dropout": 0.1}, Outcome(0.0))
    run_trials(study, search, tried, n_trials=6, seed=42)
    assert len(tried.settings) == 5
    assert len({str(trial.settings) for trial in ended(study, search)}) == 6


def test_the_same_settings_are_not_tried_twice(tmp_path: Path) -> None:
    search, tried = Search({"model.hidden": Choice([[], [256]])}, strategy="random"), []

    def count(settings: Mapping[str, Any], folder: str, enough: Enough) -> Outcome:
        tried.append(settings)
        return Outcome(len(settings["model.hidden"]))

    study = open_study(tmp_path / "study.db", search, 5)
    run_trials(study, search, count, n_trials=10, seed=42)
    assert len(tried) == 2
    assert len(ended(study, search)) == 10


@pytest.mark.parametrize("strategy", ["random", "bayesian", "hyperband"])
def test_every_strategy_finds_its_settings(tmp_path: Path, strategy: str) -> None:
    search = Search(SPACE, strategy=strategy, metric="val/acc")
    assert len(ended(search_in(tmp_path, Tried(), 12, search), search)) == 12


def test_two_that_share_a_study_have_together_as_many_trials_as_wanted(tmp_path: Path) -> None:
    tried, lock = Tried(), threading.Lock()
    open_study(tmp_path / "study.db", SEARCH, 5)

    def work() -> None:
        study = open_study(tmp_path / "study.db", SEARCH, 5)
        run_trials(study, SEARCH, tried, n_trials=9, seed=42, asking=lock, parallel=True)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tried.settings) == 9
    assert len({str(settings) for settings in tried.settings}) == 9


def test_a_study_of_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    study = open_study(tmp_path / "study.db", SEARCH, 5)
    check_same(study, {"seed": 42}, lambda old, new: [])
    with pytest.raises(ConfigError, match="a study with another seed"):
        check_same(study, {"seed": 43}, lambda old, new: ["seed"])


def test_a_file_that_is_no_study_is_named(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("Dear diary")
    with pytest.raises(ConfigError, match=r"study\.db as a study"):
        open_study(tmp_path / "study.db", SEARCH, 5)
