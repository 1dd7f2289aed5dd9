from __future__ import annotations

import json
import logging
import math

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from dogbreed.reporting.palette import LIGHT
from dogbreed.tuning.plots import study_plots
from tests.tuning.drawn_study import HIDDEN, SPACE, drawn_study

KEYS = ["history", "importances", "parallel", "slices"]


@pytest.fixture(scope="module")
def study() -> optuna.Study:
    return drawn_study()


def test_a_search_has_all_figures_without_titles_inside(study: optuna.Study) -> None:
    figures = study_plots(study, "val/loss")
    assert list(figures) == KEYS
    assert all(figure.layout.title.text is None for figure in figures.values())


def test_the_metric_is_named_in_words(study: optuna.Study) -> None:
    figures = study_plots(study, "val/acc5")
    assert figures["history"].layout.yaxis.title.text == "validation top-5 accuracy"
    assert figures["slices"].layout.yaxis.title.text == "validation top-5 accuracy"
    assert figures["parallel"].layout.xaxis.ticktext[0] == "validation<br>top-5 accuracy"


def test_the_history_is_that_of_the_complete_trials(study: optuna.Study) -> None:
    best, points = study_plots(study, "val/loss")["history"].data
    complete = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    assert list(points.x) == [trial.number for trial in complete]
    assert list(points.y) == [trial.value for trial in complete]
    assert best.y[-1] == study.best_value


def test_importances_are_optunas_own(study: optuna.Study) -> None:
    wanted = optuna.importance.get_param_importances(study)
    figure = study_plots(study, "val/loss")["importances"]
    (bars,) = figure.data
    names = figure.layout.yaxis.ticktext
    assert dict(zip(names, bars.x, strict=True)) == pytest.approx({name: 100 * wanted[name] for name in SPACE})
    assert list(bars.x) == sorted(bars.x)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_line_of_the_best_trial_stands_out_and_is_drawn_last(direction: str) -> None:
    study = drawn_study(direction=direction)
    *_, last = study_plots(study, "val/loss")["parallel"].data
    assert (last.name, last.line.color) == ("best trial", LIGHT["second"])
    assert f"model.hidden: {study.best_params['model.hidden']}" in last.hovertext
    assert f"trainer.max_epochs: {study.best_params['trainer.max_epochs']}" in last.hovertext


def test_choices_stand_in_their_own_order_not_in_that_in_which_they_were_tried(study: optuna.Study) -> None:
    figure = study_plots(study, "val/loss")["parallel"]
    place = [text.replace("<br>", "") for text in figure.layout.xaxis.ticktext].index("model.hidden")
    heights = {note.text: note.y for note in figure.layout.annotations if note.x == place}
    assert heights == {"[]": 0, "[256]": 0.5, "[512]": 1}
    assert {trace.y[place] for trace in figure.data} <= set(heights.values())


def test_a_slice_has_an_axis_of_its_settings_kind(study: optuna.Study) -> None:
    layout = study_plots(study, "val/loss")["slices"].layout
    axes = [layout.xaxis, layout.xaxis2, layout.xaxis3, layout.xaxis4, layout.xaxis5]
    by_name = {axis.title.text.replace("<br>", ""): axis for axis in axes}
    assert sorted(by_name) == sorted(SPACE)
    assert by_name["model.learning_rate"].type == "log"
    assert by_name["model.learning_rate"].ticktext == ("0.0001", "0.001", "0.01")
    assert by_name["model.hidden"].ticktext == ("[]", "[256]", "[512]")
    assert by_name["data.batch_size"].ticktext == ("16", "32", "64")
    assert layout.meta == {"rows": 2, "columns": 3}
    assert layout.width is None


def test_the_best_trial_is_marked_in_every_slice(study: optuna.Study) -> None:
    for panel in study_plots(study, "val/loss")["slices"].data:
        place = panel.marker.symbol.index("diamond")
        assert panel.marker.color[place] == study.best_trial.number
        assert panel.hovertext[place].startswith(f"trial {study.best_trial.number}: ")


def test_panels_do_not_overlap() -> None:
    space = SPACE | {f"model.extra_{n}": FloatDistribution(0, 1) for n in range(6)}
    layout = study_plots(drawn_study(space=space), "val/loss")["slices"].layout
    boxes = [
        (*layout[f"xaxis{n or ''}"].domain, *layout[f"yaxis{n or ''}"].domain) for n in [0, *range(2, len(space) + 1)]
    ]
    assert len(set(boxes)) == len(space)
    for at, one in enumerate(boxes):
        assert all(0 <= end <= 1 for end in one)
        for other in boxes[at + 1 :]:
            apart = one[1] < other[0] or other[1] < one[0] or one[3] < other[2] or other[3] < one[2]
            assert apart, (one, other)


@pytest.mark.parametrize("trials", [0, 1])
def test_fewer_than_two_complete_trials_have_no_figures(trials: int) -> None:
    assert study_plots(drawn_study(trials), "val/loss") == {}


def test_two_complete_trials_are_enough() -> None:
    assert {"history", "parallel", "slices"} <= set(study_plots(drawn_study(2), "val/loss"))


def test_a_single_setting_has_neither_importances_nor_parallel_coordinates() -> None:
    study = drawn_study(space={"model.learning_rate": SPACE["model.learning_rate"]})
    figures = study_plots(study, "val/loss")
    assert list(figures) == ["history", "slices"]
    assert figures["slices"].layout.xaxis.type == "log"


def test_trials_without_settings_have_a_history_only() -> None:
    assert list(study_plots(drawn_study(space={}), "val/loss")) == ["history"]


def test_values_that_never_differ_have_no_importances() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(5):
        study.tell(study.ask(SPACE), 0.5)
    assert list(study_plots(study, "val/loss")) == ["history", "parallel", "slices"]


def test_settings_that_not_every_trial_has_are_drawn_where_they_are() -> None:
    study = drawn_study()
    space = {"model.momentum": FloatDistribution(0.1, 0.9), "model.norm": CategoricalDistribution(['"<b>"', "null"])}
    for _ in range(4):
        study.tell(study.ask(space), 0.6)
    figures = study_plots(study, "val/loss")
    assert list(figures) == KEYS
    assert "model.momentum" in figures["importances"].layout.yaxis.ticktext
    assert "&lt;b&gt;" in {note.text for note in figures["parallel"].layout.annotations}
    assert not [note.text for note in figures["parallel"].layout.annotations if "<" in note.text]


def test_a_loss_that_exploded_is_shown_on_a_logarithmic_axis_and_one_that_is_infinite_not_at_all() -> None:
    study = drawn_study()
    study.tell(study.ask(SPACE), 1e6)
    study.tell(study.ask(SPACE), math.inf)
    figures = study_plots(study, "val/loss")
    assert figures["history"].layout.yaxis.type == figures["slices"].layout.yaxis.type == "log"
    assert figures["history"].data[1].y[-1] is None
    assert all(math.isfinite(y) for panel in figures["slices"].data for y in panel.y)


def test_optuna_says_nothing_and_is_as_loud_as_before(capfd: pytest.CaptureFixture[str]) -> None:
    study = drawn_study(3)
    study.tell(study.ask(SPACE), math.inf)
    optuna.logging.set_verbosity(logging.WARNING)
    study_plots(study, "val/loss")
    assert optuna.logging.get_verbosity() == logging.WARNING
    assert capfd.readouterr() == ("", "")


def test_texts_of_choices_are_read_as_settings() -> None:
    study = drawn_study(space=SPACE | {"model.optimizer": CategoricalDistribution([json.dumps("adamw"), "null"])})
    slices = study_plots(study, "val/loss")["slices"].layout
    assert slices["xaxis5"].ticktext == ("adamw", "null")
    assert list(slices["xaxis3"].ticktext) == HIDDEN
