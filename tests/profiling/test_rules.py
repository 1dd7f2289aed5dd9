from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from dogbreed.debugging.finding import Finding
from dogbreed.errors import ConfigError
from dogbreed.profiling.checking import judge
from dogbreed.profiling.readings import Readings
from dogbreed.profiling.rule_table import REPORT, RULES, rule_settings
from tests.profiling.made_up import BEGUN, readings, steps

FINE, ISSUE, NOTHING = "NoIssuesFound", "IssuesFound", "NotApplicable"


def ask(rule: str, given: Readings, **parameters: Any) -> Finding:
    return judge([given], {rule: parameters})[rule].finding


def spikes(samples: int, share: float, low: float, high: float) -> np.ndarray:
    """`high` in a share of the samples, spread over all, else `low`."""
    return np.where(np.arange(samples) % 100 < 100 * share, high, low)


@pytest.mark.parametrize(
    ("rule", "given", "status"),
    [
        ("LowGPUUtilization", readings(gpu=[69.9]), ISSUE),
        ("LowGPUUtilization", readings(gpu=[70.0]), FINE),
        ("LowGPUUtilization", readings(gpu=[95.0]), FINE),
        ("LowGPUUtilization", readings(gpu=[spikes(200, 0.9, 9.9, 95.0)]), ISSUE),
        ("LowGPUUtilization", readings(gpu=[spikes(200, 0.9, 10.0, 95.0)]), FINE),
        ("LowGPUUtilization", readings(gpu=[spikes(200, 0.97, 0.0, 95.0)]), FINE),
        ("LowGPUUtilization", readings(gpu=[95.0, 0.0]), FINE),
        ("LowGPUUtilization", readings(gpu=[0.0]), ISSUE),
        ("LowGPUUtilization", readings(cpu=[50.0]), NOTHING),
        ("BatchSize", readings(gpu=[30.0], memory=[20.0], cpu=[20.0, 40.0]), ISSUE),
        ("BatchSize", readings(gpu=[69.9], memory=[69.9], cpu=[69.9]), ISSUE),
        ("BatchSize", readings(gpu=[70.0], memory=[20.0], cpu=[20.0]), FINE),
        ("BatchSize", readings(gpu=[30.0], memory=[70.0], cpu=[20.0]), FINE),
        ("BatchSize", readings(gpu=[30.0], memory=[20.0], cpu=[50.0, 90.0]), FINE),
        ("BatchSize", readings(gpu=[30.0], cpu=[20.0]), FINE),
        ("BatchSize", readings(cpu=[20.0]), NOTHING),
        ("CPUBottleneck", readings(gpu=[9.9], cpu=[0.0, 90.1]), ISSUE),
        ("CPUBottleneck", readings(gpu=[10.0], cpu=[0.0, 90.1]), FINE),
        ("CPUBottleneck", readings(gpu=[9.9], cpu=[0.0, 90.0]), FINE),
        ("CPUBottleneck", readings(gpu=[spikes(200, 0.51, 99.0, 0.0)], cpu=[95.0]), ISSUE),
        ("CPUBottleneck", readings(gpu=[spikes(200, 0.50, 99.0, 0.0)], cpu=[95.0]), FINE),
        ("CPUBottleneck", readings(cpu=[95.0]), NOTHING),
        ("IOBottleneck", readings(gpu=[9.9], io=[0.0, 50.1]), ISSUE),
        ("IOBottleneck", readings(gpu=[10.0], io=[0.0, 50.1]), FINE),
        ("IOBottleneck", readings(gpu=[9.9], io=[0.0, 50.0]), FINE),
        ("IOBottleneck", readings(io=[60.0], timed=steps([0.3] * 400, data=0.9)), ISSUE),
        ("IOBottleneck", readings(io=[60.0], timed=steps([0.3] * 400, data=0.4)), FINE),
        ("IOBottleneck", readings(io=[40.0], timed=steps([0.3] * 400, data=0.9)), FINE),
        ("IOBottleneck", readings(io=[60.0]), NOTHING),
        ("IOBottleneck", readings(cpu=[60.0], gpu=[5.0]), NOTHING),
        ("GPUMemoryIncrease", readings(memory=[np.repeat([20.0, 25.1], 100)]), ISSUE),
        ("GPUMemoryIncrease", readings(memory=[np.repeat([20.0, 25.0], 100)]), FINE),
        ("GPUMemoryIncrease", readings(memory=[np.repeat([60.0, 20.0], 100)]), FINE),
        ("GPUMemoryIncrease", readings(memory=[np.repeat([5.0, 60.0], [10, 190])]), FINE),
        ("GPUMemoryIncrease", readings(cpu=[60.0]), NOTHING),
        ("LoadBalancing", readings(gpu=[95.0, 20.0]), ISSUE),
        ("LoadBalancing", readings(gpu=[95.0, 95.0]), FINE),
        ("LoadBalancing", readings(gpu=[100.0, 98.0]), FINE),
        ("LoadBalancing", readings(gpu=[95.0]), NOTHING),
        ("StepOutlier", readings(timed=steps([0.1] * 989 + [1.0] * 11)), ISSUE),
        ("StepOutlier", readings(timed=steps([0.1] * 990 + [1.0] * 10)), FINE),
        ("StepOutlier", readings(timed=steps([0.1] * 101)), FINE),
        ("StepOutlier", readings(timed=steps([0.1] * 100)), NOTHING),
        ("Dataloader", readings(timed=steps([0.1] * 20, data=0.501)), ISSUE),
        ("Dataloader", readings(timed=steps([0.1] * 20, data=0.5)), FINE),
        ("Dataloader", readings(cpu=[50.0] * 10, timed=steps([0.1] * 20, data=0.11, workers=6)), ISSUE),
        ("Dataloader", readings(cpu=[50.0] * 10, timed=steps([0.1] * 20, data=0.11, workers=7)), FINE),
        ("Dataloader", readings(cpu=[50.0] * 10, timed=steps([0.1] * 20, data=0.09, workers=0)), FINE),
        ("Dataloader", readings(cpu=[50.0] * 2, timed=steps([0.1] * 20, workers=4)), FINE),
        ("Dataloader", readings(cpu=[50.0] * 2, timed=steps([0.1] * 20, workers=5)), ISSUE),
        ("Dataloader", readings(timed=steps([0.1] * 9, data=0.9)), NOTHING),
        ("MaxInitializationTime", readings(timed=steps([0.1], begun=BEGUN + 1201.0)), ISSUE),
        ("MaxInitializationTime", readings(timed=steps([0.1], begun=BEGUN + 1200.0)), FINE),
        ("MaxInitializationTime", readings(2500, cpu=[1.0]), ISSUE),
        ("MaxInitializationTime", readings(2300, cpu=[1.0]), FINE),
        ("MaxInitializationTime", readings(0), NOTHING),
        ("OverallSystemUsage", readings(cpu=[100.0], gpu=[0.0]), FINE),
        ("OverallSystemUsage", readings(0), NOTHING),
    ],
)
def test_a_rule_fires_beyond_its_threshold_and_not_at_it(rule: str, given: Readings, status: str) -> None:
    finding = ask(rule, given)
    assert finding.status == status, finding.reason
    if status == ISSUE:
        assert finding.value is not None
        assert finding.threshold is not None
        assert "data." in finding.advice or "trainer." in finding.advice or "paths." in finding.advice


def test_the_distance_between_two_gpus_is_compared_with_its_threshold() -> None:
    given = readings(gpu=[95.0, spikes(200, 0.5, 20.0, 95.0)])
    # Half of their samples are alike: sqrt((KL([1, 0], [3/4, 1/4]) + KL([1/2, 1/2], [3/4, 1/4])) / 2).
    expected = np.sqrt((np.log(4 / 3) + 0.5 * np.log(2 / 3) + 0.5 * np.log(2)) / 2)
    assert ask("LoadBalancing", given).value == pytest.approx(expected)
    assert ask("LoadBalancing", given, threshold=expected - 1e-9).status == ISSUE
    assert ask("LoadBalancing", given, threshold=expected + 1e-9).status == FINE


@pytest.mark.parametrize(
    ("samples", "patience", "status"), [(20, 1000, NOTHING), (21, 1000, ISSUE), (10, 9, ISSUE), (9, 9, NOTHING)]
)
def test_short_runs_are_judged_on_half_of_their_samples(samples: int, patience: int, status: str) -> None:
    assert ask("LowGPUUtilization", readings(samples, gpu=[5.0]), patience=patience).status == status


def test_only_the_newest_samples_are_looked_at() -> None:
    recovered = np.repeat([5.0, 95.0], 500)
    assert ask("LowGPUUtilization", readings(1000, gpu=[recovered])).status == FINE
    assert ask("LowGPUUtilization", readings(1000, gpu=[recovered]), window=1000).status == ISSUE


def test_missing_figures_are_no_figures() -> None:
    holes = np.where(np.arange(200) % 2, np.nan, 95.0)
    given = readings(gpu=[holes], memory=[holes], cpu=[holes], io=[holes])
    assert {finding.status for finding in (ask(rule, given) for rule in RULES)} <= {FINE, NOTHING}


def test_steps_that_were_watched_operator_by_operator_are_no_outliers() -> None:
    timed = steps([0.1] * 500 + [9.0] * 11 + [0.1] * 500)
    given = Readings(readings().system, timed, {"first_step": 500, "steps": 11})
    assert ask("StepOutlier", Readings(given.system, timed)).status == ISSUE
    assert ask("StepOutlier", given).status == FINE


def test_the_report_asks_every_rule_and_counts_the_issues() -> None:
    verdicts = judge([readings(gpu=[9.0], memory=[5.0], cpu=[95.0])], {REPORT: {}})
    issues = [name for name, verdict in verdicts.items() if verdict.finding.status == ISSUE and name != REPORT]
    assert set(verdicts) == {*RULES, REPORT}
    assert issues == ["LowGPUUtilization", "CPUBottleneck"]
    assert verdicts[REPORT].finding.value == 2.0


def test_the_worst_machine_is_the_one_that_is_told() -> None:
    machines = [readings(gpu=[95.0]), readings(gpu=[5.0])]
    assert judge(machines, {"LowGPUUtilization": {}})["LowGPUUtilization"].finding.status == ISSUE


def test_the_reports_parameters_are_those_of_the_rules() -> None:
    given = readings(gpu=[60.0])
    assert judge([given], {REPORT: {"LowGPUUtilization_threshold_p95": 50}})["LowGPUUtilization"].finding.status == FINE


def test_a_rule_that_fails_says_so_and_the_others_are_asked() -> None:
    verdicts = judge([readings(gpu=[60.0])], {REPORT: {"LowGPUUtilization_window": math.inf}})
    assert verdicts["LowGPUUtilization"].finding.status == "Error"
    assert verdicts["OverallSystemUsage"].finding.status == FINE


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"LowGPUUtilisation": {}}, "did you mean LowGPUUtilization"),
        ({"BatchSize": {"treshold": 1}}, "its parameters are: cpu_threshold_p95"),
        ({"ProfilerReport": {"BatchSize_treshold": 1}}, "its parameters are: cpu_threshold_p95"),
        (
            {"ProfilerReport": {"LowGPUUtilization_window": "many"}},
            "Expected window of rule LowGPUUtilization to be a number",
        ),
    ],
)
def test_an_unknown_rule_or_parameter_is_an_error(given: dict[str, dict[str, float]], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        rule_settings(given)


def test_the_parameters_have_the_services_defaults() -> None:
    assert rule_settings({"ProfilerReport": {}}) == {
        "LowGPUUtilization": {"threshold_p95": 70, "threshold_p5": 10, "window": 500, "patience": 1000},
        "BatchSize": {
            "cpu_threshold_p95": 70,
            "gpu_threshold_p95": 70,
            "gpu_memory_threshold_p95": 70,
            "patience": 1000,
            "window": 500,
        },
        "CPUBottleneck": {"threshold": 50, "gpu_threshold": 10, "cpu_threshold": 90, "patience": 1000},
        "IOBottleneck": {"threshold": 50, "gpu_threshold": 10, "io_threshold": 50, "patience": 1000},
        "GPUMemoryIncrease": {"increase": 5, "patience": 1000, "window": 10},
        "LoadBalancing": {"threshold": 0.5, "patience": 1000},
        "StepOutlier": {"stddev": 3, "mode": None, "n_outliers": 10},
        "Dataloader": {"min_threshold": 70, "max_threshold": 200, "wait_threshold": 50, "idle_threshold": 10},
        "MaxInitializationTime": {"threshold": 20},
        "OverallSystemUsage": {},
    }
