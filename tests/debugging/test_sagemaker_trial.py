"""Trials as a job on SageMaker writes them: with smdebug's own calls, and a network of somebody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dogbreed.debugging.hooks import smdebug_pytorch
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rules_file import read_findings
from dogbreed.debugging.trial import find_trials, read_trials
from tests.debugging.conftest import Told
from tests.debugging.recorded_run import LOSS, SMDEBUG_WARNING, open_trial, recorded_run

pytestmark = pytest.mark.filterwarnings(SMDEBUG_WARNING)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.body(features)
        return logits


def configuration(folder: Path) -> dict[str, Any]:
    interval = {"save_interval": "1", "global.save_interval": "1"}
    return {
        "S3OutputPath": "s3://bucket/prefix",
        "LocalPath": str(folder),
        "HookParameters": {"train.save_interval": "2", "global.save_interval": "2"},
        "CollectionConfigurations": [
            {"CollectionName": "losses", "CollectionParameters": interval},
            {"CollectionName": "weights", "CollectionParameters": None},
            {"CollectionName": "gradients"},
            {"CollectionName": "relu_output", "CollectionParameters": {"include_regex": ".*1_output"}},
        ],
    }


def job(folder: Path, *, rate: float, modes: bool = True, name: str = "job") -> Path:
    """Ten steps, and five of evaluation after each five, of a job's script; its trial."""
    smd = smdebug_pytorch()
    path = folder / f"{name}.json"
    path.write_text(json.dumps(configuration(folder / name)))
    torch.manual_seed(0)
    net, criterion = Net(), nn.CrossEntropyLoss()
    hook = smd.Hook.create_from_json_file(str(path))
    hook.register_module(net)
    hook.register_loss(criterion)
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    features, target = torch.randn(40, 6), torch.arange(40) % 3
    for epoch in range(2):
        for mode in ("TRAIN", "EVAL") if modes else ("GLOBAL",):
            hook.set_mode(smd.modes[mode])
            for _ in range(5):
                loss = criterion(net(features + epoch), target)
                if mode != "EVAL":
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
    hook.close()
    return folder / name


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return job(tmp_path_factory.mktemp("job"), rate=0.0)


def test_the_command_reads_it_and_the_rules_answer(trial: Path, command: Callable[..., Told]) -> None:
    told = command(trial, "--html", trial.parent / "page.html")
    assert told.stderr == ""
    assert told.status == 1
    assert "10 TRAIN steps, 10 EVAL steps" in told.stdout
    found = {finding.rule: finding for finding in read_findings(trial / "rules.json")}
    # Of a learning rate of zero.
    assert found["UnchangedTensor"].status == "IssuesFound"
    assert found["UnchangedTensor"].tensor in ("Net_body.0.weight", "Net_body.2.weight")
    assert found["VanishingGradient"].status == "NoIssuesFound"
    assert found["DeadRelu"].status in ("NoIssuesFound", "IssuesFound")
    # What it did not record cannot be asked, which is no error.
    assert found["NotLearning"].status == "NotApplicable"
    assert "Error" not in {finding.status for finding in found.values()}
    assert "Net_body" in (trial.parent / "page.html").read_text()


def test_a_trial_without_modes_is_read_as_training(tmp_path: Path) -> None:
    recorded = Recorded({"LossNotDecreasing": {"num_steps": 2}, "UnchangedTensor": {}})
    contents = read_trials(find_trials(job(tmp_path, rate=0.5, modes=False)), recorded)
    assert contents.steps == {"GLOBAL": 10}
    assert {finding.status for finding in recorded.check()} == {"NoIssuesFound"}


def test_a_loss_that_does_not_fall_is_found_in_a_trial_without_modes(tmp_path: Path) -> None:
    recorded = Recorded({"LossNotDecreasing": {"num_steps": 2}})
    read_trials(find_trials(job(tmp_path, rate=0.0, modes=False)), recorded)
    assert {finding.status for finding in recorded.check()} == {"IssuesFound"}


def test_our_own_run_records_what_a_job_configuration_says_where_it_says(photos: Path, tmp_path: Path) -> None:
    from smdebug import modes

    wanted = configuration(tmp_path / "tensors")
    wanted["CollectionConfigurations"][3] = {"CollectionName": "predictions"}
    path = tmp_path / "debughookconfig.json"
    path.write_text(json.dumps(wanted))
    debugger = {
        "trial": True,
        "collections": {"biases": {"save_interval": 1}},
        "rules": {"LossNotDecreasing": {}, "UnchangedTensor": {}},
        "job_configuration": str(path),
    }
    run = recorded_run(photos, tmp_path / "run", debugger=debugger, model={"frozen": True}, max_epochs=2)
    assert not (run.output_dir / "debugger").exists()
    trial = open_trial(tmp_path / "tensors")
    assert trial.tensor(LOSS).steps(mode=modes.TRAIN) == list(range(6))
    assert trial.tensor("predictions").steps(mode=modes.TRAIN) == [0, 2, 4]
    assert trial.tensor("predictions").steps(mode=modes.EVAL) == [0]
    assert trial.tensor_names(collection="biases") == []
    recorded = Recorded({"LossNotDecreasing": {}, "UnchangedTensor": {}})
    read_trials(find_trials(tmp_path / "tensors"), recorded)
    assert {f.rule: f.status for f in recorded.check()} == {f.rule: f.status for f in run.findings}
