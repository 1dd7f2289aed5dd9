from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pytorch_lightning import Callback, LightningModule, Trainer

from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rules_file import read_findings
from dogbreed.debugging.trial import find_trials, read_trials
from tests.debugging.recorded_run import ALL, LOSS, SMDEBUG_WARNING, open_trial, recorded_run

pytestmark = pytest.mark.filterwarnings(SMDEBUG_WARNING)

RULES: dict[str, Any] = {"NotLearning": {}, "StalledTraining": {}, "WeightUpdateRatio": {}}
HEAD: dict[str, Any] = {"frozen": True, "cache": False}


class Killed(Callback):
    """Pulls the plug within a step: after its backward pass."""

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step == 4:
            os.kill(os.getpid(), signal.SIGKILL)


def killed_run(photos: Path, output_dir: Path) -> None:
    debugger = {"trial": True, "collections": ALL, "rules": RULES}
    regime = {"checkpoint_seconds": 0.0}
    recorded_run(photos, output_dir, debugger=debugger, model=HEAD, regime=regime, callbacks=(Killed(),), max_epochs=2)


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_a_trial_that_the_command_reads_and_the_rest_goes_on_from(
    photos: Path, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.debugging.recorded_run"])
    child = context.Process(target=killed_run, args=(photos, tmp_path / "run"))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    trial = tmp_path / "run" / "debugger"
    assert not (trial / "training_job_end.ts").exists()
    command = [sys.executable, "-m", "dogbreed.debugging", str(tmp_path / "run")]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert told.stderr == ""
    # Three of an epoch, the one after it; the step within which it was killed was not yet written.
    assert "4 TRAIN steps, 2 EVAL steps" in told.stdout
    assert "; the run did not end by itself." in told.stdout
    debugger = {"trial": True, "collections": ALL, "rules": RULES}
    run = recorded_run(photos, tmp_path / "run", debugger=debugger, model=HEAD, max_epochs=2)
    assert [path.name for path in find_trials(run.output_dir)] == ["debugger", "debugger-2"]
    recorded = Recorded({"LossNotDecreasing": {}, "NotLearning": {}})
    assert read_trials(find_trials(run.output_dir), recorded).steps == {"TRAIN": 6, "EVAL": 4}
    (losses,) = recorded.drawn["train_loss"].values()
    assert losses.steps == list(range(6))
    assert losses.at == [0, 1, 2, 5, 6, 7]


class StandsStill(Callback):
    """Waits within a step until the rules say that nothing comes any more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[str] = []

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx == 1:
            ends = time.monotonic() + 30
            while not self.told and time.monotonic() < ends:
                time.sleep(0.05)
                found = [f for f in read_findings(self.path) if f.rule == "StalledTraining"]
                self.told = [f.reason for f in found if f.status == "IssuesFound"]


def test_a_run_that_stands_still_says_so_while_it_does(photos: Path, tmp_path: Path) -> None:
    stands = StandsStill(tmp_path / "run" / "rules.json")
    debugger = {"collections": ALL, "rules": RULES | {"StalledTraining": {"threshold": 1.0}}}
    run = recorded_run(photos, tmp_path / "run", debugger=debugger, model=HEAD, callbacks=(stands,))
    (told,) = stands.told
    assert told == "No step for 1 s."
    # Afterwards the times of the steps show it too.
    (found,) = [finding for finding in run.findings if finding.rule == "StalledTraining"]
    assert found.status == "IssuesFound"
    assert found.step == 1


def test_a_hopeless_run_ends_after_the_epoch_and_is_complete(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    debugger = {"collections": ALL, "rules": {"NotLearning": {"warmup": 1}}, "stop_on": ["NotLearning"]}
    model = HEAD | {"learning_rate": 0.0}
    run = recorded_run(photos, tmp_path / "run", debugger=debugger, model=model, max_epochs=9, results=True)
    assert run.trainer.current_epoch == 2
    assert "The run ends here: debugger.stop_on names NotLearning." in capsys.readouterr().out
    assert [finding.status for finding in run.findings] == ["IssuesFound"]
    assert (run.output_dir / "model" / "model.safetensors").exists()
    assert (run.output_dir / "metrics.json").exists()


TWO_PROCESSES = """
import sys
from pathlib import Path
from tests.debugging.recorded_run import ALL, recorded_run

if __name__ == "__main__":
    rules = {"NotLearning": {}, "Overfit": {}}
    recorded_run(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        debugger={"trial": True, "collections": ALL, "rules": rules, "stop_on": ["NotLearning"]},
        model={"frozen": True, "cache": False, "learning_rate": 0.0},
        data={"batch_size": 4},
        strategy="ddp",
        devices=2,
        max_epochs=4,
    )
"""


@pytest.mark.slow
def test_of_two_processes_one_records_and_both_end_together(photos: Path, tmp_path: Path) -> None:
    from smdebug import modes

    script = tmp_path / "two.py"
    script.write_text(TWO_PROCESSES)
    told = subprocess.run(
        [sys.executable, str(script), str(photos), str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert told.returncode == 0, told.stderr
    assert [path.name for path in find_trials(tmp_path / "run")] == ["debugger"]
    trial = open_trial(tmp_path / "run" / "debugger")
    assert trial.workers() == ["worker_0"]
    assert trial.tensor_names(collection="losses") == [LOSS]
    # Two epochs; twenty photos, ten of each process, in batches of four.
    assert trial.tensor(LOSS).steps(mode=modes.TRAIN) == list(range(3 * 2))
    assert not [name for name in trial.tensor_names() if "module." in name or "Parallel" in name]
    recorded = Recorded({"NotLearning": {}, "Overfit": {}})
    read_trials(find_trials(tmp_path / "run"), recorded)
    live = {finding.rule: finding for finding in read_findings(tmp_path / "run" / "rules.json")}
    assert {finding.rule: finding for finding in recorded.check()} == live
    assert live["NotLearning"].status == "IssuesFound"
    assert (tmp_path / "run" / "debugger" / "training_job_end.ts").exists()
