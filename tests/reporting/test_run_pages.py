from __future__ import annotations

import base64
import hashlib
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from dogbreed.debugging.finding import Finding
from dogbreed.reporting import debugger_page, profiler_page
from dogbreed.reporting.debugger_contents import DebuggerContents, RecordedCollection, RecordedTensor
from dogbreed.reporting.debugger_page import render_debugger_page
from dogbreed.reporting.profiler_contents import MachineLoad, Operator, Phase, ProfilerContents, StepPart, StepTime
from dogbreed.reporting.profiler_page import render_profiler_page
from dogbreed.reporting.rule_status import STATUSES
from tests.reporting.drawn_run import RULES, drawn_debugger, drawn_profiler
from tests.reporting.parsed_page import ParsedPage
from tests.reporting.test_page import HOSTILE, REFERENCES


@pytest.fixture(scope="module")
def debugger() -> ParsedPage:
    return ParsedPage(render_debugger_page(drawn_debugger()))


@pytest.fixture(scope="module")
def profiler() -> ParsedPage:
    return ParsedPage(render_profiler_page(drawn_profiler(gpus=2)))


@pytest.fixture(params=["debugger", "profiler"])
def page(request: pytest.FixtureRequest) -> ParsedPage:
    parsed: ParsedPage = request.getfixturevalue(request.param)
    return parsed


@pytest.fixture(scope="module")
def hostile_pages() -> list[ParsedPage]:
    points = [(0, 1.0), (1, 0.5)]
    rules = [Finding(name, "IssuesFound", name, 0, name, math.nan, math.inf, name) for name in HOSTILE]
    rules += [replace(row, status="IssuesFound") for row in rules]
    facts = {name: name for name in HOSTILE}
    debugger = DebuggerContents(
        HOSTILE[0],
        rules,
        HOSTILE[0],
        points,
        points,
        dict.fromkeys(HOSTILE, points),
        dict.fromkeys(HOSTILE[:3], points),
        [RecordedCollection(name, 1, {name: [0]}, 1) for name in HOSTILE],
        [RecordedTensor(name, name, (1,), {name: [0]}) for name in HOSTILE],
        facts,
    )
    profiler = ProfilerContents(
        HOSTILE[0],
        HOSTILE,
        rules,
        [StepPart(name, 0.1, 0.1) for name in HOSTILE],
        {name: [StepTime(0, 0.0, 1.0)] for name in HOSTILE},
        MachineLoad(gpus=dict.fromkeys(HOSTILE, points)),
        [Phase(name, 0, 1) for name in HOSTILE],
        [Operator(name, 1, 1.0, 0.1, 1.0) for name in HOSTILE],
        facts,
    )
    return [ParsedPage(render_debugger_page(debugger)), ParsedPage(render_profiler_page(profiler))]


def test_the_page_names_no_other_file_and_no_server(page: ParsedPage) -> None:
    links = [value or "" for _, attributes in page.elements for key, value in attributes.items() if key in REFERENCES]
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "@import" not in page.styles
    assert "url(" not in page.styles


def test_the_policy_lets_nothing_run_but_the_scripts_of_the_page(page: ParsedPage) -> None:
    (policy,) = (tag["content"] or "" for tag in page.tags("meta", **{"http-equiv": "Content-Security-Policy"}))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    run = [script for script, tag in zip(page.scripts, page.tags("script"), strict=True) if "type" not in tag]
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in run]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes


def test_names_stay_text_wherever_they_stand(hostile_pages: list[ParsedPage]) -> None:
    for page in hostile_pages:
        assert len(page.tags("script")) == 4
        assert not page.tags("svg")
        assert not page.tags("img")
        assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]
        for section in ("rules", "facts"):
            assert HOSTILE[0] in page.words[section]
            assert HOSTILE[2] in page.words[section]


def test_names_within_figures_are_no_html_to_plotly(hostile_pages: list[ParsedPage]) -> None:
    debugger, profiler = (page.data["figures"] for page in hostile_pages)
    names = [*debugger["gradient-norms"]["layout"]["meta"], *debugger["gradient-norms"]["layout"]["yaxis"]["ticktext"]]
    names += [trace["name"] for trace in [*debugger["update-ratios"]["data"], *profiler["load-gpu"]["data"]]]
    names += [text for trace in profiler["step-durations"]["data"] for text in [trace["name"], *trace["hovertext"]]]
    for name in names:
        assert "<" not in name.replace("<br>", "")
        assert "\u202e" not in name


def test_the_same_contents_give_the_same_page() -> None:
    assert render_debugger_page(drawn_debugger(9)) == render_debugger_page(drawn_debugger(9))
    assert render_profiler_page(drawn_profiler(60)) == render_profiler_page(drawn_profiler(60))


def test_sections_come_in_the_promised_order(debugger: ParsedPage, profiler: ParsedPage) -> None:
    assert debugger.sections == [section.key for section in debugger_page.SECTIONS]
    assert profiler.sections == [section.key for section in profiler_page.SECTIONS]


def test_every_figure_has_its_box_and_every_box_its_figure(page: ParsedPage) -> None:
    boxes = [tag["data-figure"] for tag in page.tags("div") if "data-figure" in tag]
    assert sorted(page.data["figures"]) == sorted(box or "" for box in boxes)
    assert all(tag["aria-label"] for tag in page.tags("div") if "data-figure" in tag)


def test_the_worst_rules_come_first_and_those_without_an_issue_are_folded(debugger: ParsedPage) -> None:
    words = debugger.words["rules"]
    order = ["Confusion", "VanishingGradient", "Overfit", "StalledTraining", "3 rules without an issue"]
    order += ["SaturatedActivation", "AllZero", "ExplodingTensor"]
    places = [words.index(name) for name in order]
    assert places == sorted(places)
    assert debugger.tags("details", **{"class": "groups"})


def test_a_rule_says_what_it_compared_and_what_to_change(debugger: ParsedPage) -> None:
    words = debugger.words["rules"]
    for row in RULES:
        assert row.reason in words
        assert STATUSES[row.status].word in words
        assert (row.advice in words) == (row.status == "IssuesFound" or not row.advice)
    assert "3.2e-09 threshold 1e-07" in words


def test_the_summary_counts_the_rules_and_names_errors_first(debugger: ParsedPage) -> None:
    assert "Of 7 rules 1 ended in an error, 2 found an issue, 1 is still at work" in debugger.words[""]


def test_a_run_without_an_issue_is_told_so() -> None:
    page = ParsedPage(render_debugger_page(DebuggerContents("Title", [Finding("AllZero", "NoIssuesFound", "Fine.")])))
    assert "No rule found an issue." in page.words["rules"]


def test_what_was_recorded_is_said_with_steps_and_bytes(debugger: ParsedPage) -> None:
    words = debugger.words["collections"]
    assert "gradients 60 training 0 to 990, every 10 evaluation 0 to 7 1.34 GB" in words
    assert "64 \N{MULTIPLICATION SIGN} 64" in words


def test_losses_that_are_no_numbers_are_counted() -> None:
    losses = [(0, 1.0), (1, math.nan), (2, math.inf)]
    page = ParsedPage(render_debugger_page(DebuggerContents("Title", train_loss=losses)))
    assert "not a finite number at 2 of 3 steps, first at step 1." in page.words["loss_over_steps"]


def test_pages_of_nothing_say_what_is_missing() -> None:
    debugger = ParsedPage(render_debugger_page(DebuggerContents("Title")))
    profiler = ParsedPage(render_profiler_page(ProfilerContents("Title")))
    assert debugger.sections == profiler.sections == []
    assert "No loss was recorded." in debugger.words["loss_over_steps"]
    assert "The steps were not measured." in profiler.words["step_durations"]
    assert debugger.data["figures"] == profiler.data["figures"] == {}


def test_the_reason_for_a_missing_part_can_be_given() -> None:
    reasons = {"update_ratios": "Weights are recorded every 500 steps.", "gradient_norms": ""}
    page = ParsedPage(render_debugger_page(DebuggerContents("Title", absences=reasons)))
    assert "every 500 steps" in page.words["update_ratios"]
    assert "gradient_norms" not in page.words


def test_a_machine_without_a_gpu_is_told_so() -> None:
    page = ParsedPage(render_profiler_page(drawn_profiler(operators=(), load=MachineLoad(cpu=[(0, 10.0), (1, 20.0)]))))
    assert "No GPU was sampled." in page.words["machine_load"]
    assert "load-memory" not in page.data["figures"]
    assert "operator by operator" in page.words["operators"]


def test_every_advice_and_every_part_of_a_step_is_said(profiler: ParsedPage) -> None:
    contents = drawn_profiler()
    assert all(sentence in profiler.words["advice"] for sentence in contents.advice)
    assert "data wait 161 ms 38.0 %" in profiler.words["step_parts"]


def test_operators_are_ranked_by_time_and_by_memory(profiler: ParsedPage) -> None:
    by_time, by_memory = profiler.words["operators"].split("By self memory")
    assert by_time.index("mkldnn_convolution") < by_time.index("aten::empty")
    assert by_memory.index("aten::empty") < by_memory.index("mkldnn_convolution")
    assert "aten::add_" not in by_memory


def test_a_long_run_of_a_deep_network_stays_below_9_megabytes() -> None:
    generator, steps = np.random.default_rng(0), range(0, 100_000, 50)
    tensors = {f"layer{n}.weight": list(zip(steps, generator.random(2000).tolist(), strict=True)) for n in range(400)}
    losses = list(enumerate(generator.random(100_000).tolist()))
    contents = DebuggerContents("Title", RULES, "", losses, losses[::100], tensors, tensors)
    assert len(render_debugger_page(contents).encode()) < 9_000_000
