"""Faults met in public attempts at this job: figures in a README that no run ever gave.

What the README says was measured is made anew here from the files that the runs left.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from dogbreed.training.notices import figures

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = ROOT / "benchmarks" / "results"


@pytest.fixture
def measured_table(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import measured_table as module

    sys.modules.pop("measured_table")
    return module.measured_table()


def result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / name).read_text())
    return found


# fault 35
def test_the_table_of_measured_runs_is_that_of_their_files(measured_table: str) -> None:
    assert measured_table.count("\n") >= 2
    assert measured_table in README


# fault 35
def test_the_runs_of_the_table_were_whole_runs_on_photographs() -> None:
    ours = [run for path in RESULTS.glob("dogbreed-*.json") if (run := result(path.name))]
    assert ours
    for run in ours:
        assert run["figures"]["limits"] == []
        assert run["figures"]["data"]["synthetic"] is False


# fault 35
def test_the_figures_of_the_sample_run_are_those_that_it_left() -> None:
    sample = result("sample.json")
    [line] = re.findall(r"^Test \(160 photos\): (.*)$", README, re.MULTILINE)
    assert line == ", ".join(figures(sample))
    assert sample["data"]["synthetic"] is True


# fault 35
def test_every_share_in_the_section_of_measurements_comes_from_a_file() -> None:
    section = README.split("## Measured")[1].split("\n## ")[0]
    runs = [result(path.name) for path in sorted(RESULTS.glob("*.json"))]
    known = {f"{value:.3f}" for run in runs for value in numbers(run)}
    assert set(re.findall(r"-?\b0\.\d+\b", section)) <= known


def numbers(node: Any) -> list[float]:
    if isinstance(node, dict):
        return [number for child in node.values() for number in numbers(child)]
    if isinstance(node, list):
        return [number for child in node for number in numbers(child)]
    return [float(node)] if isinstance(node, int | float) else []
