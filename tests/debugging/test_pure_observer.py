from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
import torch

from dogbreed.artifacts import load_artifact
from dogbreed.debugging.debugger import build_debugger
from dogbreed.debugging.rule import Rule, Wanted
from dogbreed.debugging.rule_table import RULES
from dogbreed.errors import DataError
from dogbreed.predictor import BreedPredictor
from dogbreed.training.checkpoint_io import read_checkpoint
from tests.debugging.recorded_run import ALL, LOSS, SMDEBUG_WARNING, Run, open_trial, recorded_run

pytestmark = pytest.mark.filterwarnings(SMDEBUG_WARNING)

DEBUGGERS: dict[str, dict[str, Any]] = {
    "off": {},
    "rules": {"collections": ALL, "rules": dict.fromkeys(RULES)},
    "full": {"trial": True, "collections": ALL, "rules": dict.fromkeys(RULES)},
}


@pytest.fixture(scope="module")
def runs(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The same run with each debugger, with dropout, blended photos and averaged weights."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        name: recorded_run(
            photos,
            folder / name,
            debugger=debugger,
            model={"dropout": 0.3},
            data={"mixing": "mixup"},
            regime={"ema_decay": 0.9, "checkpoint_seconds": 0.0},
            results=True,
        )
        for name, debugger in DEBUGGERS.items()
    }


@pytest.mark.parametrize("debugger", ["rules", "full"])
def test_a_run_with_the_debugger_is_the_same_run(runs: dict[str, Run], debugger: str) -> None:
    watched, plain = runs[debugger], runs["off"]
    assert watched.metrics == plain.metrics
    weights = [(run.output_dir / "model" / "model.safetensors").read_bytes() for run in (watched, plain)]
    assert weights[0] == weights[1]
    states = [read_checkpoint(best_checkpoint(run))["state_dict"] for run in (watched, plain)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def best_checkpoint(run: Run) -> Path:
    (path,) = [p for p in (run.output_dir / "checkpoints").glob("*.ckpt") if not p.name.startswith("resume")]
    return path


def test_the_artifact_deploys_and_its_checkpoints_hold_tensors_only(runs: dict[str, Run], photos: Path) -> None:
    run = runs["full"]
    for path in (run.output_dir / "checkpoints").glob("*.ckpt"):
        assert torch.load(path, weights_only=True)["state_dict"]
    photo = next((photos / "test").rglob("*.png"))
    answers = [BreedPredictor.load(r.output_dir / "model").predict(photo) for r in (run, runs["off"])]
    assert answers[0] == answers[1]
    assert (
        load_artifact(run.output_dir / "model").card["metrics"]
        == load_artifact(runs["off"].output_dir / "model").card["metrics"]
    )


def test_nothing_of_the_debugger_stays_on_the_network(runs: dict[str, Run]) -> None:
    module = runs["full"].module
    for part in module.modules():
        assert not hasattr(part, "_module_name")
        assert not part._forward_hooks
        assert not part._forward_pre_hooks
    assert not any(parameter._backward_hooks for parameter in module.parameters())
    exported = torch.export.export(module.network.eval(), (torch.zeros(1, 3, 32, 32),))
    torch.testing.assert_close(exported.module()(torch.ones(1, 3, 32, 32)), module.network(torch.ones(1, 3, 32, 32)))


def test_a_rule_that_fails_stops_nothing_and_stands_first_with_its_reason(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError("no such number")

    def losses(_: Any) -> dict[str, Wanted]:
        return {"losses": Wanted(float, ("losses",))}

    def broken(_: Any) -> dict[str, Wanted]:
        return {"losses": Wanted(fails, ("losses",))}

    monkeypatch.setitem(RULES, "FailsWhenAsked", Rule(fails, losses, "None."))
    monkeypatch.setitem(RULES, "FailsWithinAStep", Rule(fails, broken, "None."))
    rules = {"Overfit": {}, "FailsWhenAsked": {}, "NotLearning": {}, "FailsWithinAStep": {}}
    run = recorded_run(photos, tmp_path / "run", debugger={"collections": ALL, "rules": rules}, model={"frozen": True})
    first, second, *others = run.findings
    assert {first.rule, second.rule} == {"FailsWhenAsked", "FailsWithinAStep"}
    for finding in (first, second):
        assert finding.status == "Error"
        assert finding.reason.startswith("ZeroDivisionError: no such number")
    assert "Error" not in {finding.status for finding in others}
    told = capsys.readouterr().out
    assert "FailsWhenAsked: The rule failed: ZeroDivisionError: no such number" in told
    assert "debugger-report.html. Of 4 rules 2 ended in an error" in told


def test_a_trial_that_can_be_written_no_further_is_named_and_the_run_goes_on(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    callbacks = build_debugger(tmp_path, trial=True, collections=ALL)
    assert callbacks
    from smdebug.core.writer import FileWriter

    real, written = FileWriter.write_tensor, [0]

    def disk_is_full(self: Any, *arguments: Any, **options: Any) -> None:
        written[0] += 1
        if written[0] > 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, *arguments, **options)

    monkeypatch.setattr(FileWriter, "write_tensor", disk_is_full)
    run = recorded_run(photos, tmp_path / "run", debugger={"trial": True, "collections": ALL})
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "switched off" in line]
    assert "No space left on device" in line
    assert run.trainer.global_step == 3
    assert not any(part._forward_hooks for part in run.module.modules())
    assert len(open_trial(run.output_dir / "debugger").steps()) < 5


def test_beyond_the_limit_on_disk_the_losses_alone_go_on_and_it_is_said_once(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from smdebug import modes

    debugger = {"trial": True, "collections": ALL, "disk_gib": 1e-6}
    run = recorded_run(photos, tmp_path / "run", debugger=debugger, max_epochs=2)
    told = capsys.readouterr().out
    assert told.count("(debugger.disk_gib); from here on the losses alone.") == 1
    # What was recorded before is not called empty.
    assert "nothing was recorded in frozen_statistics:" in told
    trial = run.trial
    assert trial.tensor(LOSS).steps(mode=modes.TRAIN) == list(range(6))
    assert trial.tensor(LOSS).steps(mode=modes.EVAL) == list(range(4))
    assert {name for step in trial.steps()[1:] for name in trial.tensor_names(step=step)} == {LOSS}
    assert len(trial.tensor_names(step=0)) > 100


def test_a_run_that_ends_in_an_error_leaves_no_hooks_and_a_trial_that_says_it_has_ended(
    photos: Path, tmp_path: Path
) -> None:
    modules = []

    def spoil(module: Any) -> None:
        modules.append(module)
        real = module.validation_step

        def step(batch: Any, batch_idx: int) -> None:
            if batch_idx:
                raise DataError("a photo is gone")
            real(batch, batch_idx)

        module.validation_step = step

    with pytest.raises(DataError, match="a photo is gone"):
        recorded_run(photos, tmp_path / "run", debugger=DEBUGGERS["full"], model={"frozen": True}, before=spoil)
    assert not any(part._forward_hooks for part in modules[0].modules())
    assert (tmp_path / "run" / "debugger" / "training_job_end.ts").exists()
    assert len(open_trial(tmp_path / "run" / "debugger").steps()) >= 4
