"""Runs that never were, for the pages of the debugger and the profiler."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dogbreed.debugging.finding import Finding
from dogbreed.reporting.debugger_contents import DebuggerContents, RecordedCollection, RecordedTensor
from dogbreed.reporting.profiler_contents import MachineLoad, Operator, Phase, ProfilerContents, StepPart, StepTime

NETWORK = "BreedNetwork_backbone"
RULES = (
    Finding("AllZero", "NoIssuesFound", "No tensor is zero throughout.", value=0.31, threshold=100),
    Finding("SaturatedActivation", "NotApplicable", "The network has neither tanh nor sigmoid."),
    Finding(
        "VanishingGradient",
        "IssuesFound",
        "The mean absolute gradient fell below the threshold.",
        120,
        f"gradient/{NETWORK}.layer1.0.conv1.weight",
        3.2e-9,
        1e-7,
        "Raise model.learning_rate or model.backbone_rate, or train fewer stages (model.frozen).",
    ),
    Finding("Confusion", "Error", "The tensor predictions could not be read: its file ends too early."),
    Finding("StalledTraining", "InProgress", "The run has not ended."),
    Finding("ExplodingTensor", "NoIssuesFound", "All values are finite."),
    Finding(
        "Overfit",
        "IssuesFound",
        "The validation loss lies above the training loss by more than the threshold at 3 evaluations in a row.",
        640,
        "CrossEntropyLoss_output_0",
        0.3456,
        0.1,
        "Use more photos, a stronger data.augmentation, or train fewer stages.",
    ),
)


def layer_names(count: int, prefix: str = f"{NETWORK}.") -> list[str]:
    """Parameters of a network, the first first."""
    return [f"{prefix}layer{1 + number // 12}.{number // 3 % 4}.conv{1 + number % 3}.weight" for number in range(count)]


def drawn_debugger(layers: int = 60, steps: int = 1000, **changes: Any) -> DebuggerContents:
    """A page with every part filled."""
    generator = np.random.default_rng(0)
    loss = 4.5 * np.exp(-np.arange(steps) / (0.3 * steps)) + 0.5 + generator.normal(0, 0.15, steps)
    norms = {
        name: [
            (step, float(10 ** (-3 + 2 * place / layers - 2 * step / steps + generator.normal(0, 0.2))))
            for step in range(0, steps, 10)
        ]
        for place, name in enumerate(layer_names(layers, f"gradient/{NETWORK}."))
    }
    ratios = {
        name: [(step, float(10 ** (-3.2 + generator.normal(0, 0.5) - step / steps))) for step in range(0, steps, 10)]
        for name in layer_names(layers)
    }
    if layers > 20:
        first, second = list(norms)[:2]
        norms[first][40:60] = [(step, 0.0) for step, _ in norms[first][40:60]]
        norms[second][70:75] = [(step, math.nan) for step, _ in norms[second][70:75]]
    recorded = {"TRAIN": range(0, steps, 10), "EVAL": range(8)}
    contents: dict[str, Any] = {
        "title": "Debugger: resnet50 on 133 breeds of dogs",
        "rules": RULES,
        "loss_name": "CrossEntropyLoss_output_0",
        "train_loss": list(enumerate(np.abs(loss).tolist())),
        "val_loss": [(step, float(loss[step - 1] + 0.3)) for step in range(100, steps + 1, 100)],
        "gradient_norms": norms,
        "update_ratios": ratios,
        "collections": [
            RecordedCollection("losses", 1, {"TRAIN": range(steps), "EVAL": range(80)}, 412_000),
            RecordedCollection("gradients", layers, recorded, 1_340_000_000),
            RecordedCollection("input_image", 1, {"TRAIN": [0, 3, 4]}),
        ],
        "tensors": [
            RecordedTensor(name, "gradients", (64, 64, 3, 3), {"TRAIN": range(0, steps, 10)}) for name in norms
        ],
        "facts": {"Folder": "outputs/2026-11-21/10-00-00/debugger", "Backend": "smdebug 1.0.34"},
    }
    return DebuggerContents(**contents | changes)


def drawn_profiler(seconds: int = 900, gpus: int = 0, **changes: Any) -> ProfilerContents:
    """A page with every part filled."""
    generator = np.random.default_rng(0)
    epoch = seconds / 3
    phases = [
        phase
        for start in np.arange(3) * epoch
        for phase in (
            Phase("training", start, start + 0.8 * epoch),
            Phase("validation", start + 0.8 * epoch, start + 0.97 * epoch),
            Phase("checkpoint", start + 0.97 * epoch, start + epoch),
        )
    ]

    def load(middle: float, spread: float) -> list[tuple[float, float]]:
        values = np.clip(generator.normal(middle, spread, 2 * seconds), 0, 100).tolist()
        return [(number / 2, value) for number, value in enumerate(values)]

    def times(start: float, share: float, each: float) -> list[StepTime]:
        begun = [e * epoch + at for e in range(3) for at in np.arange(start * epoch, (start + share) * epoch, each)]
        taken = (each * generator.gamma(60, 1 / 60, len(begun))).tolist()
        return [StepTime(n, float(at), taken[n] * (4 if n % 97 == 50 else 1)) for n, at in enumerate(begun)]

    contents: dict[str, Any] = {
        "title": "Profiler: resnet50 on 133 breeds of dogs",
        "advice": [
            "Data wait takes 38 % of a training step: raise data.num_workers from 1 to 2.",
            "The cores are busy 92 % of the time: a smaller data.image_size would help more than a faster disk.",
            "12 steps were outliers, all of them while a checkpoint was written.",
        ],
        "rules": [
            Finding(
                "CPUBottleneck",
                "IssuesFound",
                "A core was busy while the GPU waited.",
                None,
                None,
                61.0,
                50.0,
                "Raise data.num_workers.",
            ),
            Finding("LowGPUUtilization", "NotApplicable", "The machine has no GPU."),
            Finding("StepOutlier", "NoIssuesFound", "9 steps took far longer than the others.", value=9, threshold=10),
        ],
        "step_parts": [
            StepPart("data wait", 0.161, 0.38),
            StepPart("forward", 0.09, 0.21),
            StepPart("backward", 0.14, 0.33),
            StepPart("optimizer", 0.021, 0.05),
            StepPart("other", 0.012, 0.03),
        ],
        "step_times": {"training": times(0.0, 0.8, 0.42), "validation": times(0.8, 0.17, 0.2)},
        "load": MachineLoad(
            load(70, 8),
            load(93, 4),
            load(4, 3),
            load(55, 1),
            {f"GPU {n}": load(80 - 10 * n, 9) for n in range(gpus)},
            {f"GPU {n}": load(60, 1) for n in range(gpus)},
        ),
        "phases": phases,
        "operators": [
            Operator("aten::mkldnn_convolution", 5300, 210.2, 0.51, 4.1e9),
            Operator("aten::native_batch_norm", 5300, 61.0, 0.15, 3.9e9),
            Operator("aten::convolution_backward", 2650, 58.1, 0.14, 2.2e9),
            Operator("aten::add_", 160_000, 9.5, 0.023, 0),
            Operator("aten::empty", 230_000, 0.9, 0.002, 9.9e9),
        ],
        "facts": {"Machine": "2 cores of an AMD EPYC, no GPU", "Interval": "500 ms", "Samples": "1,800"},
    }
    return ProfilerContents(**contents | changes)
