from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from dogbreed.debugging.finding import Finding
from dogbreed.debugging.recorded import Recorded
from dogbreed.debugging.rule import Mode
from dogbreed.debugging.rule_table import RULES
from dogbreed.models.schedule import warmup_cosine

CLASSES, EPOCHS, BATCHES, BATCH = 6, 8, 25, 32
# Their published conditions hold at times in runs in which nothing is wrong.
STRICT = ("Overfit", "LossNotDecreasing", "VanishingGradient", "Confusion")


class Fit:
    """A small network with a frozen stem learns from noisy patterns, and all of it is recorded."""

    def __init__(self, *, interval: int, **changes: Any) -> None:
        torch.manual_seed(0)
        self.changes = changes
        self.interval = interval
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()).requires_grad_(False).eval()
        self.stage = nn.Sequential(nn.Conv2d(8, 16, 3, bias=False), nn.BatchNorm2d(16))
        self.head = nn.Linear(16 * 4, CLASSES)
        self.patterns = torch.randn(CLASSES, 3, 8, 8)
        self.recorded = Recorded({**dict.fromkeys(RULES), "TensorVariance": {"max_threshold": 1e3}})
        self.steps: dict[Mode, int] = {"TRAIN": 0, "EVAL": 0}
        self.asked: list[list[Finding]] = []

    def run(self) -> list[Finding]:
        rate, stage_rate = self.changes.get("rate", 2e-3), self.changes.get("rate", 2e-3) * 0.1
        groups = [{"params": self.head.parameters()}, {"params": self.stage.parameters(), "lr": stage_rate}]
        optimizer = torch.optim.AdamW(groups, lr=rate)
        total = EPOCHS * BATCHES
        factor = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: warmup_cosine(step, warmup_steps=total // 20, total_steps=total)
        )
        for _ in range(EPOCHS):
            for _ in range(BATCHES):
                self.step("TRAIN").backward()
                for module in (self.stage, self.head):
                    for name, parameter in module.named_parameters():
                        self.record(f"gradient/{id(module)}.{name}", "gradients", "TRAIN", parameter.grad, -1)
                optimizer.step()
                optimizer.zero_grad()
                factor.step()
            with torch.no_grad():
                for _ in range(4):
                    self.step("EVAL")
            self.asked.append(self.recorded.check())
        return self.asked[-1]

    def step(self, mode: Mode) -> Tensor:
        target = torch.randint(CLASSES, (BATCH,))
        images = self.patterns[target] * 0.5 + torch.randn(BATCH, 3, 8, 8)
        if self.changes.get("shuffled"):
            target = torch.randint(CLASSES, (BATCH,))
        self.stage.train(mode == "TRAIN")
        for module in (self.stage, self.head):
            for name, parameter in module.named_parameters():
                if name.endswith("weight"):
                    self.record(f"{id(module)}.{name}", "weights", mode, parameter, 0)
        for name in ("running_mean", "running_var"):
            self.record(f"stem.{name}", "frozen_statistics", mode, getattr(self.stem[1], name), 0)
        inputs = self.stage(self.stem(images))
        outputs = functional.relu(inputs)
        logits = self.head(functional.adaptive_avg_pool2d(outputs, 2).flatten(1))
        loss = functional.cross_entropy(logits, target)
        self.record("input_image", "input_image", mode, images, 0)
        self.record("relu/relu_input", "relu_input", mode, inputs, 0)
        self.record("relu/relu_output", "relu_output", mode, outputs, 0)
        self.record("labels", "labels", mode, target, 0)
        self.record("predictions", "predictions", mode, logits, 0)
        self.record("loss", "losses", mode, loss, 0)
        self.record("wall_time", "wall_time", mode, torch.tensor(1.0 * sum(self.steps.values())), 0)
        self.steps[mode] += 1
        return loss

    def record(self, name: str, collection: str, mode: Mode, value: Tensor | None, offset: int) -> None:
        assert value is not None
        step = self.steps[mode] + offset
        if collection in ("losses", "labels", "predictions", "wall_time") or step % self.interval == 0:
            at = sum(self.steps.values()) + offset
            self.recorded.record(name, {collection}, mode, step, value.detach().numpy(), at)


@pytest.mark.parametrize("interval", [1, 5, 20])
def test_a_healthy_run_has_no_issue_after_any_of_its_epochs(interval: int) -> None:
    fit = Fit(interval=interval)
    for findings in (fit.run(), *fit.asked):
        assert "Error" not in {finding.status for finding in findings}
        assert [f for f in findings if f.status == "IssuesFound" and f.rule not in STRICT] == []
    unasked = {finding.rule for finding in fit.asked[-1] if finding.status == "NotApplicable"}
    assert unasked - {"CheckInputImages"} == {"SaturatedActivation", "Overtraining"}


def test_a_run_without_a_learning_rate_changes_nothing_and_does_not_learn() -> None:
    found = {finding.rule for finding in Fit(interval=5, rate=0.0).run() if finding.status == "IssuesFound"}
    assert {"UnchangedTensor", "WeightUpdateRatio", "NotLearning"} <= found


def test_labels_without_meaning_are_not_learnt() -> None:
    found = {finding.rule for finding in Fit(interval=20, shuffled=True).run() if finding.status == "IssuesFound"}
    assert "NotLearning" in found
