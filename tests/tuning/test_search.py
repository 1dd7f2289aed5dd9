from __future__ import annotations

import pytest

from dogbreed.errors import ConfigError
from dogbreed.tuning import Choice, LogUniform, Space, Uniform
from dogbreed.tuning.search import Search, build_search, check_settings

SPACE: Space = {"model.dropout": Uniform(0.0, 0.5)}


@pytest.mark.parametrize("metric", ["test/acc", "test/loss", "train/acc", "train/loss", "val/figure"])
def test_only_a_validation_figure_of_the_epochs_line_can_be_searched_by(metric: str) -> None:
    with pytest.raises(ConfigError, match=r"Expected search\.metric to be one of val/loss, val/acc, val/acc5"):
        Search(SPACE, metric=metric)


def test_a_loss_is_to_fall_and_an_accuracy_to_rise() -> None:
    assert Search(SPACE).direction == "minimize"
    assert Search(SPACE, metric="val/acc").direction == "maximize"


def test_a_grid_has_choices_only() -> None:
    with pytest.raises(ConfigError, match=r"model\.dropout is a range"):
        Search(SPACE, strategy="grid")
    assert Search({"model.dropout": Choice([0.0, 0.5])}, strategy="grid")


def test_a_search_without_a_space_an_unknown_strategy_and_no_seed_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least one setting"):
        Search({})
    with pytest.raises(ConfigError, match=r"search\.strategy"):
        Search(SPACE, strategy="evolution")
    with pytest.raises(ConfigError, match=r"search\.seeds"):
        Search(SPACE, seeds=0)


def test_what_stands_for_a_setting_is_a_range_or_a_choice() -> None:
    with pytest.raises(ConfigError, match=r"search\.space\.model\.dropout to be a range or a choice.*got 0\.5"):
        build_search({"model": {"dropout": 0.5}})


def test_a_setting_can_be_taken_out_of_a_space() -> None:
    nested = {"model": {"dropout": Uniform(0.0, 0.5), "learning_rate": None}, "data": None}
    assert list(build_search(nested).space) == ["model.dropout"]


@pytest.mark.parametrize("name", ["seed", "lr_find", "data.root", "data.seed", "trainer.output_dir", "evaluation.tta"])
def test_what_all_trials_share_cannot_be_searched(name: str) -> None:
    shared = {"root": "", "seed": 0, "output_dir": "", "tta": False}
    settings = {"seed": 42, "lr_find": False, "data": shared, "trainer": shared, "evaluation": shared}
    with pytest.raises(ConfigError, match="its trials share it"):
        check_settings({name: Choice([1, 2])}, settings)


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("model.learning_rates", r"model\.learning_rate"),
        ("optimizer.learning_rate", r"model\.learning_rate"),
        ("zzz", "--help"),
        ("model", r"--help"),
    ],
)
def test_a_name_that_is_no_setting_of_the_run_is_told_with_the_nearest(name: str, offered: str) -> None:
    with pytest.raises(ConfigError, match=offered):
        check_settings({name: LogUniform(1e-4, 1e-2)}, {"model": {"learning_rate": 1e-3, "hidden": []}})
