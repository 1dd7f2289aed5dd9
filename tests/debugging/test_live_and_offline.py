from __future__ import annotations

import math
import shutil
import signal
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dogbreed.composed_run import CONF
from dogbreed.debugging.finding import ORDER, Finding
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rule_table import RULES
from dogbreed.debugging.rules_file import read_findings
from dogbreed.debugging.trial import find_trials, read_trials
from dogbreed.errors import DataError
from dogbreed.training.interruption import Interrupted, Interruption
from tests.debugging.conftest import Told
from tests.debugging.recorded_run import ALL, LOSS, SMDEBUG_WARNING, Run, open_trial, recorded_run

Command = Callable[..., Told]
pytestmark = pytest.mark.filterwarnings(SMDEBUG_WARNING)

RULE_SETTINGS: dict[str, Any] = {
    **dict.fromkeys(RULES),
    "ExplodingTensor": {"collection_names": "gradients"},
    "LossNotDecreasing": {"tensor_regex": "CrossEntropyLoss_output_0", "num_steps": 2},
    "UnchangedTensor": {"num_steps": 2},
    "DeadRelu": {"threshold_layer": 1.0},
}
OFFLINE = ("NotLearning", "LabelsShuffled", "WeightUpdateRatio")


def plain(findings: list[Finding]) -> dict[str, Any]:
    """Without the times, which each recorder reads for itself."""
    kept = [replace(f, reason="", value=0.0) if f.rule == "StalledTraining" else f for f in findings]
    return {f.rule: {k: rounded(v) for k, v in asdict(f).items()} for f in kept}


def rounded(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def offline(folder: Path, rules: dict[str, Any] | None) -> dict[str, Any]:
    recorded = Recorded(rules)
    read_trials(find_trials(folder), recorded)
    return plain(recorded.check())


@pytest.mark.parametrize(
    ("collections", "settings"),
    [
        (ALL, {"model": {"backbone": "resnet18", "frozen": True, "cache": False}}),
        (
            {
                "losses": {"train": {"save_interval": 2}, "eval": {"save_interval": 1}},
                "weights": {"train": {"save_steps": [1, 3, 5]}},
                "gradients": {"train": {"save_interval": 2, "start_step": 1}},
                "relu_output": {"train": {"save_interval": 2, "end_step": 4}},
                "own": {"include_regex": "CrossEntropyLoss_output,backbone.conv5_output", "save_interval": 3},
            },
            {"regime": {"unfreeze_epoch": 1}, "num_sanity_val_steps": 2, "precision": "bf16-mixed"},
        ),
        (ALL, {"model": {"frozen": True}, "accumulate_grad_batches": 3}),
    ],
    ids=["everything", "some steps", "kept features"],
)
def test_rules_say_live_what_they_say_of_the_trial(
    photos: Path, tmp_path: Path, collections: dict[str, Any], settings: dict[str, Any]
) -> None:
    debugger = {"trial": True, "collections": collections, "rules": RULE_SETTINGS}
    run = recorded_run(photos, tmp_path / "run", debugger=debugger, max_epochs=3, **settings)
    live = plain(run.findings)
    assert offline(run.output_dir, RULE_SETTINGS) == live
    statuses = {found["status"] for found in live.values()}
    assert {"NoIssuesFound", "IssuesFound"} <= statuses
    assert "Error" not in statuses


def test_a_collection_under_another_name_feeds_the_rule_that_asks_for_its_tensor(photos: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load((CONF / "debugger" / "public_c.yaml").read_text())
    debugger = {name: settings[name] for name in ("trial", "collections", "rules")}
    debugger["rules"]["LossNotDecreasing"]["num_steps"] = 2
    run = recorded_run(photos, tmp_path / "run", debugger=debugger, model={"frozen": True}, max_epochs=3)
    (found,) = run.findings
    assert found.status != "NotApplicable"
    assert offline(run.output_dir, debugger["rules"]) == plain([found])
    assert run.trial.tensor_names(collection=LOSS) == [LOSS]


@pytest.fixture(scope="module")
def finished(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    few = {name: ALL[name] for name in ("losses", "labels", "predictions", "weights")}
    output_dir = tmp_path_factory.mktemp("finished") / "run"
    debugger = {"trial": True, "collections": few, "rules": dict.fromkeys(OFFLINE)}
    return recorded_run(photos, output_dir, debugger=debugger, model={"frozen": True}, max_epochs=3)


def test_the_command_prints_every_rule_worst_first_and_draws_the_page(
    finished: Run, tmp_path: Path, command: Command
) -> None:
    shutil.copytree(finished.output_dir / "debugger", tmp_path / "run" / "debugger")
    (tmp_path / "run" / "config.yaml").write_text(yaml.safe_dump({"debugger": {"rules": dict.fromkeys(OFFLINE)}}))
    told = command(tmp_path / "run", "--html", tmp_path / "page.html")
    assert told.stderr == ""
    first, *lines = told.stdout.splitlines()
    assert "9 TRAIN steps, 6 EVAL steps" in first
    assert "did not end" not in first
    findings = read_findings(tmp_path / "run" / "rules.json")
    assert plain(findings) == plain(finished.findings)
    shown = [line for line in lines if not line.startswith((" ", "Page"))]
    assert [line.split()[1].rstrip(":") for line in shown] == [finding.rule for finding in findings]
    statuses = [ORDER.index(finding.status) for finding in findings]
    assert statuses == sorted(statuses)
    assert told.status == int(any(f.status in ("Error", "IssuesFound") for f in findings))
    assert "NotLearning" in (tmp_path / "page.html").read_text()


@pytest.mark.timeout(60)
def test_a_trial_whose_files_are_damaged_is_read_as_far_as_it_goes(
    finished: Run, tmp_path: Path, command: Command
) -> None:
    trial = tmp_path / "debugger"
    shutil.copytree(finished.output_dir / "debugger", trial)
    (trial / "training_job_end.ts").unlink()
    events = sorted((trial / "events").rglob("*.tfevents"))
    events[2].write_bytes(events[2].read_bytes()[:300])
    events[4].write_bytes(b"")
    events[-1].unlink()
    told = command(tmp_path, "--rule", "NotLearning", "--rule", "StalledTraining,threshold=1e9")
    assert told.stderr == ""
    assert "; the run did not end by itself." in told.stdout
    assert "NotLearning" in told.stdout


@pytest.mark.parametrize("left", ["nothing", "empty folder", "file", "empty trial", "broken collections", "no steps"])
def test_where_there_is_no_trial_one_line_says_so(finished: Run, tmp_path: Path, left: str) -> None:
    folder = tmp_path / "run"
    if left == "file":
        folder.write_text("x")
    elif left != "nothing":
        folder.mkdir()
    if left == "empty trial":
        (folder / "debugger").mkdir()
    if left in ("broken collections", "no steps"):
        shutil.copytree(finished.output_dir / "debugger", folder / "debugger")
        if left == "no steps":
            shutil.rmtree(folder / "debugger" / "index")
        else:
            (path,) = (folder / "debugger" / "collections").glob("*/*.json")
            path.write_text(path.read_text()[:40])
    with pytest.raises(DataError, match=r"Expected a trial in .*debugger=full leaves one"):
        find_trials(folder)


def test_a_page_that_cannot_be_written_is_named(finished: Run, tmp_path: Path, command: Command) -> None:
    (tmp_path / "file").write_text("")
    told = command(finished.output_dir, "--rule", "Overfit,ratio_threshold=1e-1", "--html", tmp_path / "file" / "page")
    assert told.status == 1
    assert told.stderr.startswith("error: Cannot write ")
    assert len(told.stderr.splitlines()) == 1


def test_the_command_ends_with_one_line_and_status_1_where_there_is_no_trial(tmp_path: Path, command: Command) -> None:
    told = command(tmp_path)
    assert told.status == 1
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1
    assert told.stderr.startswith("error: Expected a trial in")


class StopAfter(Interruption):
    """A signal that has come when it is looked for so many times: once before each step."""

    def __init__(self, looks: int) -> None:
        self.left = looks
        super().__init__()

    @property
    def signal(self) -> int | None:
        self.left -= 1
        return signal.SIGTERM if self.left == 0 else None

    @signal.setter
    def signal(self, number: int | None) -> None:
        """A real one would be one of the test's own."""


def test_an_interrupted_run_and_its_rest_are_read_as_one(photos: Path, tmp_path: Path) -> None:
    debugger = {"trial": True, "collections": ALL, "rules": dict.fromkeys(OFFLINE)}
    common: dict[str, Any] = {"debugger": debugger, "model": {"frozen": True, "cache": False}, "max_epochs": 3}
    whole = recorded_run(photos, tmp_path / "whole", **common)
    regime = {"checkpoint_seconds": 0.0}
    with pytest.raises(Interrupted):
        recorded_run(photos, tmp_path / "run", regime=regime | {"interruption": StopAfter(6)}, **common)
    assert {f.status for f in read_findings(tmp_path / "run" / "rules.json")} <= {
        "Stopped",
        "NotApplicable",
        "IssuesFound",
    }
    run = recorded_run(photos, tmp_path / "run", regime=regime, **common)
    assert [path.name for path in find_trials(run.output_dir)] == ["debugger", "debugger-2"]
    first, second = (set(open_trial(path).steps()) for path in find_trials(run.output_dir))
    assert first | second == set(range(9 + 6))
    assert not first & second
    # NotLearning and LabelsShuffled know of all evaluations; a weight has nothing before it after a break.
    for rule in ("NotLearning", "LabelsShuffled"):
        assert plain(run.findings)[rule] == plain(whole.findings)[rule]
    assert offline(run.output_dir, dict.fromkeys(OFFLINE)) == plain(whole.findings)
    assert plain(run.findings)["WeightUpdateRatio"]["status"] == plain(whole.findings)["WeightUpdateRatio"]["status"]


def test_a_run_that_was_complete_before_it_could_write_its_results_keeps_its_findings(
    photos: Path, tmp_path: Path
) -> None:
    debugger = {"trial": True, "collections": ALL, "rules": dict.fromkeys(OFFLINE)}
    common: dict[str, Any] = {"debugger": debugger, "model": {"frozen": True}, "max_epochs": 2}
    regime = {"checkpoint_seconds": 0.0}
    first = recorded_run(photos, tmp_path / "run", regime=regime, **common)
    statuses = {finding.rule: finding.status for finding in first.findings}
    again = recorded_run(photos, tmp_path / "run", regime=regime, **common)
    assert {finding.rule: finding.status for finding in again.findings} == statuses
