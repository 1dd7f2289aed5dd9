from __future__ import annotations

import base64
import hashlib
import math
import re
from pathlib import Path

import pytest

from dogbreed.reporting.frame import FOLDER
from dogbreed.reporting.palette import DARK, LIGHT
from dogbreed.reporting.seed_dots import seed_dots
from dogbreed.reporting.tuning_page import PLOTS, SECTIONS, render_tuning_page
from dogbreed.reporting.wording import UNDEFINED
from dogbreed.tuning.plots import study_plots
from dogbreed.tuning.trial_order import best_first
from tests.reporting.drawn_tuning import YAML, drawn_trial, drawn_tuning
from tests.reporting.parsed_page import ParsedPage
from tests.reporting.test_page import HOSTILE, REFERENCES
from tests.tuning.drawn_study import drawn_study


@pytest.fixture(scope="module")
def html() -> str:
    return render_tuning_page(drawn_tuning(plots=study_plots(drawn_study(), "val/loss")))


@pytest.fixture(scope="module")
def page(html: str) -> ParsedPage:
    return ParsedPage(html)


@pytest.fixture(scope="module")
def hostile_page() -> ParsedPage:
    rows = [drawn_trial(0, settings={name: name, "model.head": [name]}) for name in HOSTILE]
    return ParsedPage(
        render_tuning_page(
            drawn_tuning(
                title=HOSTILE[0],
                metric=HOSTILE[0],
                insight=HOSTILE[1],
                trials=rows,
                command=HOSTILE[0],
                yaml=HOSTILE[0],
                test=HOSTILE,
                page='"javascript:alert(1)',
                facts=dict(zip(HOSTILE, HOSTILE, strict=True)),
            )
        )
    )


def seen(**changes: object) -> ParsedPage:
    return ParsedPage(render_tuning_page(drawn_tuning(**changes)))


def test_the_page_names_no_other_file_but_the_models_report(page: ParsedPage) -> None:
    links = [value or "" for _, attributes in page.elements for key, value in attributes.items() if key in REFERENCES]
    assert [link for link in links if not link.startswith(("#", "data:"))] == ["./best-report.html"]
    assert "@import" not in page.styles
    assert "url(" not in page.styles


def test_the_policy_lets_nothing_run_but_the_scripts_of_the_page(page: ParsedPage) -> None:
    (policy,) = (tag["content"] or "" for tag in page.tags("meta", **{"http-equiv": "Content-Security-Policy"}))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    run = [script for script, tag in zip(page.scripts, page.tags("script"), strict=True) if "type" not in tag]
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in run]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes


def test_names_and_values_stay_text_wherever_they_stand(hostile_page: ParsedPage) -> None:
    assert len(hostile_page.tags("script")) == 4
    assert not hostile_page.tags("svg")
    assert not hostile_page.tags("img")
    assert not [key for _, attributes in hostile_page.elements for key in attributes if key.startswith("on")]
    for section in ("insight", "use_it", "trials", "facts"):
        assert HOSTILE[0] in hostile_page.words[section]
    assert HOSTILE[2] in hostile_page.words["trials"]


def test_a_link_is_a_file_beside_the_page_whatever_its_name(hostile_page: ParsedPage) -> None:
    assert hostile_page.tags("a", href="./%22javascript%3Aalert%281%29")


def test_a_script_as_a_setting_is_shown_as_text() -> None:
    row = drawn_trial(0, settings={"model.name": "<script>alert(1)</script>"})
    html = render_tuning_page(drawn_tuning(trials=[row]))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert(1)" not in html


def test_the_same_contents_give_the_same_page(html: str) -> None:
    assert render_tuning_page(drawn_tuning(plots=study_plots(drawn_study(), "val/loss"))) == html


def test_sections_come_in_the_promised_order(page: ParsedPage) -> None:
    assert page.sections == [section.key for section in SECTIONS]


def test_every_figure_has_its_box_and_every_box_its_figure(page: ParsedPage) -> None:
    boxes = page.tags("div", role="img")
    assert (
        sorted(page.data["figures"]) == sorted(box["data-figure"] or "" for box in boxes) == sorted([*PLOTS, "seeds"])
    )
    assert all(box["aria-label"] for box in boxes)


def test_every_colour_of_a_figure_has_a_dark_one(page: ParsedPage) -> None:
    assert page.data["dark"] == {LIGHT[name]: DARK[name] for name in LIGHT}
    for name, figure in page.data["figures"].items():
        colours = re.findall(r"\"(#[0-9a-fA-F]{3,8}|rgba?\([^\"]*\))\"", str(figure).replace("'", '"'))
        assert set(colours) - {"rgba(0,0,0,0)"} <= set(LIGHT.values()), name


def test_the_insight_stands_below_the_title_and_the_seeds_of_both_beneath(page: ParsedPage) -> None:
    assert "lower the validation loss by 0.031" in page.words[""]
    words = page.words["insight"]
    assert "Seed Default Best 0 0.455 0.421 1 0.463 0.428 2 0.449 0.418 Mean 0.456 0.422" in words
    assert "84.2 % (81.6 to 86.5)" in words
    assert "lower is better" in words


def test_dots_are_the_seeds_and_lines_their_means() -> None:
    mean, dots, best_mean, best_dots = seed_dots({"default": {1: 0.5, 0: 0.4}, "best": {0: 0.3}}, "loss").data
    assert (dots.y, best_dots.y) == ((0.4, 0.5), (0.3,))
    assert (mean.y[0], best_mean.y[0]) == (pytest.approx(0.45), 0.3)
    assert dots.hovertext == ("seed 0: 0.400", "seed 1: 0.500")


def test_a_seed_that_led_to_no_number_is_left_out() -> None:
    page = seen(default_seeds={0: 0.5, 1: math.nan}, best_seeds={1: 0.4})
    assert f"0 0.500 {UNDEFINED} 1 {UNDEFINED} 0.400 Mean 0.500 0.400" in page.words["insight"]


def test_without_a_number_of_any_seed_there_is_no_figure() -> None:
    page = seen(default_seeds={0: math.inf}, best_seeds={})
    assert "seeds" not in page.data["figures"]
    assert "No seed led to a number." in page.words["insight"]


def test_one_column_is_enough() -> None:
    page = seen(best_seeds={})
    assert page.data["figures"]["seeds"]["layout"]["xaxis"]["ticktext"] == ["default"]
    assert "Seed Default 0 0.455" in page.words["insight"]


def test_the_command_and_the_file_can_be_copied(page: ParsedPage) -> None:
    assert "model.hidden='[512]'" in page.words["use_it"]
    assert YAML.split()[-1] in page.words["use_it"]
    assert len(page.tags("button", **{"class": "toggle copy scripted-only"})) == 2
    assert "clipboard" in page.scripts[-1]


def test_trials_come_best_first_and_those_that_were_not_completed_last() -> None:
    rows = [drawn_trial(number) for number in range(6)]
    assert [row.number for row in best_first(rows, "minimize")] == [1, 3, 0, 4, 2, 5]
    assert [row.number for row in best_first(rows, "maximize")] == [0, 3, 1, 4, 2, 5]


def test_a_trial_is_shown_with_its_settings_and_its_marks(page: ParsedPage) -> None:
    words = page.words["trials"]
    assert "Trial 1 best complete 0.431 0.00247 [512] 32 4 12.3 s" in words
    assert "Trial 0 default complete 0.512 0.00123 [] 32 3 12.3 s" in words
    assert f"Trial 2 failed {UNDEFINED} 0.0037 null 32 5 12.3 s" in words
    assert "Pruned: given up before its last epoch" in words
    assert "Failed: the training ended in an error" in words


def test_states_that_no_trial_has_are_not_explained() -> None:
    words = seen(trials=[drawn_trial(0)]).words["trials"]
    assert "Pruned" not in words
    assert "Failed" not in words


def test_a_setting_that_a_trial_lacks_is_told_from_one_that_is_none() -> None:
    words = seen(trials=[drawn_trial(0, settings={"a": None}), drawn_trial(1, settings={"b": 1})]).words["trials"]
    assert f"Trial 1 best complete 0.431 {UNDEFINED} 1 4" in words
    assert f"Trial 0 default complete 0.512 null {UNDEFINED} 3" in words


def test_one_trial_has_a_table_and_no_figures() -> None:
    study = drawn_study(1)
    page = seen(trials=[drawn_trial(0)], best=0, plots=study_plots(study, "val/loss"), best_seeds={})
    assert page.sections == ["insight", "use_it", "trials", "facts"]
    assert "Fewer than two trials were completed." in page.words["history"]


def test_a_page_of_nothing_says_what_is_missing() -> None:
    nothing = {"trials": (), "best": None, "command": "", "yaml": "", "insight": "", "plots": {}, "facts": {}}
    page = seen(**nothing, default_seeds={}, best_seeds={}, test=(), page=None)
    assert page.sections == []
    assert page.data["figures"] == {}
    assert "No trial was run." in page.words["trials"]
    assert "there are no best settings" in page.words["use_it"]


def test_the_reason_for_a_missing_part_can_be_given() -> None:
    page = seen(plots={}, absences={"history": "The study was read from a table.", "slices": ""})
    assert "read from a table" in page.words["history"]
    assert "slices" not in page.words


def test_every_section_has_its_template() -> None:
    assert all((Path(FOLDER) / "sections" / f"{section.key}.html.jinja").exists() for section in SECTIONS)
