from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytorch_lightning import Callback
from pytorch_lightning.profilers import PassThroughProfiler, SimpleProfiler

from dogbreed.errors import ConfigError
from dogbreed.profiling.advice import advise
from dogbreed.profiling.checking import check, judge
from dogbreed.profiling.layout import FRAMEWORK, SYSTEM, TRACES
from dogbreed.profiling.profiler import build_profiler
from dogbreed.profiling.readings import Readings, read
from tests.profiling.made_up import system
from tests.profiling.small_fit import fit

ALL: dict[str, dict[str, float]] = {"ProfilerReport": {}}


def statuses(output_dir: Path) -> dict[str, str]:
    found = json.loads((output_dir / "profiler" / "rules.json").read_text())["rules"]
    return {finding["rule"]: finding["status"] for finding in found}


def nothing_is_left_running() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name == "dogbreed-sampler"]


@pytest.fixture(scope="module")
def slow_loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output_dir = tmp_path_factory.mktemp("slow_loader")
    trainer = fit(output_dir, loading=0.08, computing=0.01, rules=ALL)
    assert isinstance(trainer.profiler, PassThroughProfiler)
    return output_dir


def test_off_is_nothing(tmp_path: Path) -> None:
    assert build_profiler(tmp_path, interval=None) == []


def test_a_mistake_in_the_settings_is_told_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean Dataloader"):
        build_profiler(tmp_path, interval=0.5, rules={"DataLoader": {}})
    with pytest.raises(ConfigError, match="num_steps"):
        build_profiler(tmp_path, interval=0.5, num_steps=-1)


def test_what_a_step_spends_its_time_on_is_seen(slow_loader: Path) -> None:
    (found,) = read(slow_loader / "profiler")
    steps = found.steps
    assert steps.steps.tolist() == list(range(30))
    assert np.all(steps.parts["data"] >= 0.08)
    assert np.all(steps.parts["forward"] >= 0.01)
    assert np.all(sum(steps.parts.values()) <= steps.total + 1e-5)
    assert np.all(np.diff(steps.starts) >= steps.total[:-1] - 1e-5)
    assert [len(spans) for spans in steps.between.values()] == [2, 2]
    assert np.all(steps.between["validation"][:, 1] >= 0.02)
    assert steps.workers == 0


def test_a_slow_loader_is_named(slow_loader: Path) -> None:
    assert statuses(slow_loader)["Dataloader"] == "IssuesFound"
    assert nothing_is_left_running()


def test_a_fast_loader_is_not_named(tmp_path: Path) -> None:
    fit(tmp_path, computing=0.02, rules=ALL)
    assert statuses(tmp_path)["Dataloader"] == "NoIssuesFound"


def test_advice_says_where_the_time_goes_and_what_to_change(slow_loader: Path) -> None:
    (found,) = read(slow_loader / "profiler")
    where, bound, change = advise(found)
    assert "% waiting for photos" in where
    assert "oading photos" in bound
    assert "data.num_workers" in change or "data.prepare" in change


def test_a_tiny_batch_on_a_gpu_with_room_is_named(slow_loader: Path) -> None:
    (found,) = read(slow_loader / "profiler")
    gpu = Readings(system(gpu=[12.0], memory=[3.0], cpu=[25.0]), found.steps)
    assert judge([gpu], {"BatchSize": {}})["BatchSize"].finding.status == "IssuesFound"


def test_the_table_of_steps_has_them_all(slow_loader: Path) -> None:
    with (slow_loader / "profiler" / "steps.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "start", "data", "forward", "backward", "optimizer", "total"]
    assert [int(row["step"]) for row in rows] == list(range(30))


def test_the_largest_operators_are_listed(slow_loader: Path) -> None:
    found = json.loads((slow_loader / "profiler" / "operators.json").read_text())
    assert (found["first_step"], found["steps"]) == (5, 3)
    assert {"aten::addmm", "Optimizer.step#SGD.step"} <= {row["name"] for row in found["by_self_time"]}
    assert len(found["by_self_memory"]) <= 20
    times = [row["self_ms"] for row in found["by_self_time"]]
    assert times == sorted(times, reverse=True)
    assert sum(row["share"] for row in found["by_self_time"]) <= 1.001


def test_each_rule_leaves_a_file_with_the_services_fields(slow_loader: Path) -> None:
    folder = slow_loader / "profiler" / "rule-output"
    assert len(list(folder.iterdir())) == 11
    for path in folder.iterdir():
        report = json.loads(path.read_text(), parse_constant=pytest.fail)
        assert list(report) == ["RuleTriggered", "Violations", "Details", "Datapoints", "RuleParameters"]
    loader = json.loads((folder / "Dataloader.json").read_text())
    assert loader["RuleTriggered"] == 1
    assert loader["Datapoints"] == 30
    assert "wait_threshold:50" in loader["RuleParameters"].splitlines()


def test_watching_changes_nothing_of_what_is_learnt(tmp_path: Path) -> None:
    watched, unwatched = fit(tmp_path / "watched", rules=ALL), fit(tmp_path / "unwatched", profiled=False)
    states = [trainer.lightning_module.state_dict() for trainer in (watched, unwatched)]
    assert all(states[0][name].equal(states[1][name]) for name in states[0])


def test_lightnings_own_profiler_still_sees_the_run(tmp_path: Path) -> None:
    trainer = fit(tmp_path, profiler=SimpleProfiler())
    assert len(trainer.profiler.recorded_durations["run_training_batch"]) == 30


def test_a_run_that_fails_leaves_what_was_seen(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cable"):
        fit(tmp_path, computing=0.02, fails_at=12, rules=ALL)
    assert nothing_is_left_running()
    (found,) = read(tmp_path / "profiler")
    assert found.steps.steps.tolist() == list(range(12))
    assert found.operators["steps"] == 3
    assert len((tmp_path / "profiler" / "steps.csv").read_text().splitlines()) == 13
    assert statuses(tmp_path)["Dataloader"] == "NoIssuesFound"


def test_a_run_that_ends_while_its_operators_are_watched_ends_cleanly(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cable"):
        fit(tmp_path / "failed", fails_at=6)
    fit(tmp_path / "short", epochs=1, steps=7)
    for name, steps in (("failed", 1), ("short", 2)):
        assert json.loads((tmp_path / name / "profiler" / "operators.json").read_text())["steps"] == steps


def test_a_run_that_goes_on_has_all_steps_once(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cable"):
        fit(tmp_path, fails_at=20)
    fit(tmp_path, checkpoint=next(tmp_path.rglob("*.ckpt")))
    (found,) = read(tmp_path / "profiler")
    assert found.steps.steps.tolist() == list(range(30))


def test_steps_are_batches_where_gradients_are_collected(tmp_path: Path) -> None:
    fit(tmp_path, accumulate_grad_batches=3)
    (found,) = read(tmp_path / "profiler")
    assert len(found.steps) == 30
    assert np.count_nonzero(found.steps.parts["optimizer"]) == 10


KILLED = """
import sys
from pathlib import Path
from tests.profiling.small_fit import fit
fit(Path(sys.argv[1]), steps=10_000, computing=0.01)
"""


def enough_is_seen(run: Readings) -> bool:
    """So much that the rule can be asked, however slow the machine is."""
    return len(run.system.times) >= 3 and len(run.steps) >= 30


def test_what_a_killed_run_has_left_is_read(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: enough_is_seen(read(tmp_path / "profiler")[0]))
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert list((tmp_path / "profiler" / FRAMEWORK).glob("*.tmp"))
    assert not list((tmp_path / "profiler" / TRACES).glob("*/*"))
    newest = max((tmp_path / "profiler" / SYSTEM).glob("*/*"))
    newest.write_text(newest.read_text()[:-20])
    (found,) = read(tmp_path / "profiler")
    assert len(found.steps) > 3
    assert found.steps.steps.tolist() == list(range(len(found.steps)))
    assert len(found.system.times) >= 3
    # What it finds is the machine's business: other programs may make a run wait.
    (finding,) = check(tmp_path / "profiler", ["Dataloader"])
    assert finding.status in ("NoIssuesFound", "IssuesFound")


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def test_an_empty_folder_is_no_run(tmp_path: Path) -> None:
    findings = check(tmp_path)
    assert {finding.status for finding in findings} == {"NotApplicable"}
    assert advise(read(tmp_path)[0]) == ("No step was timed.",)


class Stopper(Callback):
    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_ends_the_watching_too(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        fit(tmp_path, callbacks=[Stopper()])
    assert nothing_is_left_running()
