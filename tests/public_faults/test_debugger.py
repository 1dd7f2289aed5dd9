"""Faults met in public attempts at this job: each is tried here, and cannot be committed or is named.

The debugger: what it leaves behind, what it records, what its rules say and whether anybody hears it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from pytorch_lightning import Trainer

from dogbreed.artifacts import load_artifact
from dogbreed.composed_run import CONF
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.debugging.debugger import build_debugger
from dogbreed.debugging.finding import ORDER
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rules_file import read_findings
from dogbreed.debugging.run_settings import rules_of_run
from dogbreed.debugging.trial import find_trials, read_trials
from dogbreed.errors import ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.predictor import BreedPredictor
from dogbreed.serving.handler import input_fn, model_fn, output_fn, predict_fn
from dogbreed.train import quiet
from tests.debugging.recorded_run import SMDEBUG_WARNING, open_trial
from tests.public_faults.tiny_run import MODEL, command_run, tiny_run

pytestmark = pytest.mark.filterwarnings(SMDEBUG_WARNING)

LOSS = "CrossEntropyLoss_output_0"


# fault 17
def test_a_run_with_the_hook_on_deploys(photos: Path, tmp_path: Path) -> None:
    cards = {name: command_run(photos, tmp_path / name, debugger=name) for name in ("full", "off")}
    assert cards["full"]["metrics"] == cards["off"]["metrics"]
    left, states, answers, served = [], [], [], []
    photo = next((photos / "test").rglob("*.png"))
    for name in cards:
        model = tmp_path / name / "model"
        left.append(sorted(path.name for path in model.iterdir()))
        states.append(load_artifact(model).network.state_dict())
        answers.append(BreedPredictor.load(model).predict(photo))
        answer = predict_fn(input_fn(photo.read_bytes(), "image/png"), model_fn(str(model)))
        served.append(json.loads(output_fn(answer, "application/json")[0])["predictions"])
    assert left[0] == left[1]
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())
    assert answers[0] == answers[1]
    assert served[0] == served[1]
    assert [breed["label"] for breed in served[0][0]] == [answer.name for answer in answers[0]]
    # And what the rules said within the run they say of its trial.
    recorded = Recorded(rules_of_run(tmp_path / "full"))
    read_trials(find_trials(tmp_path / "full"), recorded)
    said = {finding.rule: finding.status for finding in read_findings(tmp_path / "full" / "rules.json")}
    assert {finding.rule: finding.status for finding in recorded.check()} == said


# faults 18 and 19
@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize(
    "backbone", ["resnet18", "shufflenet_v2_x0_5", "mobilenet_v3_small", "squeezenet1_1", "densenet121"]
)
def test_any_backbone_frozen_or_not_has_exactly_one_loss(
    photos: Path, tmp_path: Path, backbone: str, frozen: bool
) -> None:
    quiet()
    data = DogBreedDataModule(photos, batch_size=4, num_workers=0)
    module = BreedClassifier(data.num_classes, **{**MODEL, "backbone": backbone, "frozen": frozen})
    # The gradients of a few parameters, at the last step: a whole network takes seconds to write.
    collections = {
        "losses": {"save_interval": 1},
        "late": {"include_regex": "^gradient/.*bias$", "save_interval": 100, "train": {"save_steps": [2]}},
    }
    callbacks = build_debugger(tmp_path, trial=True, collections=collections)
    trainer = Trainer(
        max_epochs=2,
        limit_train_batches=2,
        limit_val_batches=1,
        accelerator="cpu",
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, data)
    trial = open_trial(tmp_path / "debugger")
    assert [name for name in trial.tensor_names() if "Loss" in name] == [LOSS]
    assert len(trial.tensor(LOSS).steps()) == 2 * (2 + 1)
    biases = {n for n, p in module.network.named_parameters() if p.requires_grad and n.endswith("bias")}
    assert set(trial.tensor_names(regex="^gradient")) == {f"gradient/BreedNetwork_{name}" for name in biases}


# fault 20
@pytest.mark.parametrize(
    ("collections", "nearest"),
    [
        ({"CrossEntopyLoss_output_0": {}}, "needs an include_regex"),
        ({"CrossEntopyLoss_output_0": {"include_regex": "CrossEntopyLoss_output_0"}}, f"the nearest are {LOSS}"),
        ({"gradient": {}}, "the nearest is gradients"),
    ],
)
def test_a_misspelt_collection_is_named_at_the_start(
    photos: Path, tmp_path: Path, collections: dict[str, Any], nearest: str
) -> None:
    with pytest.raises(ConfigError, match=nearest):
        tiny_run(photos, tmp_path, callbacks=tuple(build_debugger(tmp_path, trial=True, collections=collections)))
    assert not (tmp_path / "debugger").exists()


# fault 20
@pytest.mark.parametrize("attempt", "abcde")
def test_what_public_attempts_recorded_holds_their_loss(photos: Path, tmp_path: Path, attempt: str) -> None:
    command_run(photos, tmp_path / "run", debugger=f"public_{attempt}", model__frozen=True, trainer__max_epochs=1)
    trial = open_trial(tmp_path / "run" / "debugger")
    assert trial.tensor_names(collection="losses") == [LOSS]
    assert "Error" not in {finding.status for finding in read_findings(tmp_path / "run" / "rules.json")}


# faults 21 and 22
def test_a_run_tells_the_status_of_every_rule_worst_first_and_that_it_learnt_nothing(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command_run(photos, tmp_path / "run", debugger="rules", model__learning_rate=0.0, model__frozen=True)
    told = capsys.readouterr().out
    findings = read_findings(tmp_path / "run" / "rules.json")
    written = json.loads((tmp_path / "run" / "rules.json").read_text())["rules"]
    assert [row["rule"] for row in written] == [finding.rule for finding in findings]
    asked = yaml.safe_load((CONF / "debugger" / "rules.yaml").read_text())["rules"]
    assert {finding.rule for finding in findings} == set(asked)
    order = [ORDER.index(finding.status) for finding in findings]
    assert order == sorted(order)
    assert all(finding.reason for finding in findings)
    found = {finding.rule: finding for finding in findings}
    assert found["NotLearning"].status == "IssuesFound"
    assert f"NotLearning: {found['NotLearning'].reason}" in told
    assert "debugger-report.html. Of " in told
    assert "Error" not in {finding.status for finding in findings}


# fault 22
def test_no_rule_is_alarmed_by_what_is_frozen(photos: Path, tmp_path: Path) -> None:
    command_run(
        photos,
        tmp_path / "run",
        debugger="rules",
        model__frozen=True,
        model__cache=False,
        model__learning_rate=5e-2,
        trainer__max_epochs=3,
    )
    found = {finding.rule: finding for finding in read_findings(tmp_path / "run" / "rules.json")}
    for rule in ("PoorWeightInitialization", "FrozenDrift", "UnchangedTensor", "AllZero", "WeightUpdateRatio"):
        assert found[rule].status in ("NoIssuesFound", "NotApplicable"), found[rule]
