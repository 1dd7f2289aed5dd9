"""A run of a second with the debugger, and what a callback of the test's own saw of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.debugging.collections import KNOWN
from dogbreed.debugging.debugger import build_debugger
from dogbreed.debugging.finding import Finding
from dogbreed.debugging.rules_file import read_findings
from dogbreed.evaluation.evaluation import Settings
from dogbreed.models.classifier import BreedClassifier
from dogbreed.train import quiet
from dogbreed.training.results import write_results
from dogbreed.training.run import train
from dogbreed.training.trainer import build_callbacks, build_trainer

# What smdebug brings along imports in an old way.
SMDEBUG_WARNING = "ignore:_SixMetaPathImporter:ImportWarning"
MODEL: dict[str, Any] = {
    "backbone": "shufflenet_v2_x0_5",
    "weights": None,
    "frozen": False,
    "hidden": [8],
    "image_size": 32,
    "learning_rate": 1e-2,
}
# Every collection that there is, at every step.
ALL: dict[str, Any] = {name: {"save_interval": 1} for name in KNOWN if name != "wall_time"}
FEW: dict[str, Any] = {name: ALL[name] for name in ("losses", "labels", "predictions")}
LOSS = "CrossEntropyLoss_output_0"


@dataclass(frozen=True)
class Run:
    """What a run left."""

    output_dir: Path
    trainer: Trainer
    module: BreedClassifier
    data: DogBreedDataModule
    metrics: dict[str, float]

    @property
    def trial(self) -> Any:
        return open_trial(self.output_dir / "debugger")

    @property
    def findings(self) -> list[Finding]:
        return read_findings(self.output_dir / "rules.json")


def open_trial(folder: Path) -> Any:
    """As smdebug's documentation says."""
    # It would wait for a second at every question for what an ended run may still write.
    os.environ["SMDEBUG_TRAINING_END_DELAY_REFRESH"] = "0"
    from smdebug.trials import create_trial

    return create_trial(str(folder))


def recorded_run(
    photos: Path,
    output_dir: Path,
    *,
    debugger: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    regime: Mapping[str, Any] | None = None,
    callbacks: tuple[Callback, ...] = (),
    before: Callable[[BreedClassifier], None] = lambda _: None,
    results: bool = False,
    **trainer_settings: Any,
) -> Run:
    """Fit with a debugger of these settings, and write the artifact where it is asked for."""
    quiet()
    photo_data = DogBreedDataModule(
        photos, **{"batch_size": 8, "num_workers": 0, "cache_dir": output_dir.parent / "cache", **(data or {})}
    )
    torch.manual_seed(1)
    module = BreedClassifier(photo_data.num_classes, **{**MODEL, **(model or {})})
    before(module)
    observers = build_debugger(output_dir, **(debugger or {}))
    built = build_callbacks(output_dir, **{"patience": None, **(regime or {})})
    trainer = build_trainer(
        output_dir,
        callbacks=[*built, *observers, *callbacks],
        **{"accelerator": "cpu", "precision": "32-true", "max_epochs": 1, **trainer_settings},
    )
    metrics = train(trainer, module, photo_data)
    if results:
        judged = Settings(batch_size=8, mirror=False, duplicates=False)
        metrics = write_results(output_dir, trainer, module, photo_data, metrics, settings=judged, report=False)[
            "metrics"
        ]
    return Run(output_dir, trainer, module, photo_data, metrics)


class Seen(Callback):
    """Keeps every tensor of every step by the name that a trial gives it, without the debugger's parts."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, int], dict[str, Tensor]] = {}
        self.steps = {"TRAIN": 0, "EVAL": 0}
        self.logits = torch.empty(0)
        self.due: dict[str, Tensor] = {}

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.module = pl_module
        self.handle = self.network.register_forward_hook(self._keep_logits)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.handle.remove()

    @property
    def network(self) -> nn.Module:
        network = self.module.network
        assert isinstance(network, nn.Module)
        return network

    def _keep_logits(self, _: Any, __: Any, logits: Tensor) -> None:
        self.logits = logits.detach().clone()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self.due = self._parameters()

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for name, parameter in self.network.named_parameters():
            if parameter.grad is not None and parameter.requires_grad:
                self.due[f"gradient/BreedNetwork_{name}"] = parameter.grad.clone()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs["loss"].clone() * trainer.accumulate_grad_batches
        self._keep("TRAIN", self.due | {LOSS: loss}, batch)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if not trainer.sanity_checking:
            criterion = pl_module.criterion
            assert isinstance(criterion, nn.CrossEntropyLoss)
            smoothing = criterion.label_smoothing
            loss = cross_entropy(self.logits.float(), batch[1], criterion.weight, label_smoothing=smoothing)
            self._keep("EVAL", self._parameters() | {LOSS: loss}, batch)

    def _keep(self, mode: str, values: dict[str, Tensor], batch: Any) -> None:
        values |= {"labels": batch[1].clone(), "predictions": self.logits}
        self.values[mode, self.steps[mode]] = values
        self.steps[mode] += 1

    def _parameters(self) -> dict[str, Tensor]:
        trained = {n: p for n, p in self.network.named_parameters() if p.requires_grad}
        return {f"BreedNetwork_{n}": p.detach().clone() for n, p in trained.items() if n.endswith(("weight", "bias"))}


def recorded_values(trial: Any, mode: str) -> dict[int, dict[str, Any]]:
    """All that a trial holds of a mode, by step and name."""
    from smdebug import modes

    steps = trial.steps(mode=modes[mode])
    return {
        step: {
            name: trial.tensor(name).value(step, mode=modes[mode])
            for name in trial.tensor_names(step=step, mode=modes[mode])
        }
        for step in steps
    }


def assert_recorded(run: Run, seen: Seen) -> None:
    """Each parameter, gradient, label, loss and answer that was seen is in the trial to the last bit, and no other."""
    trial = run.trial
    for mode, count in seen.steps.items():
        found = recorded_values(trial, mode)
        assert sorted(found) == list(range(count))
        for step, tensors in found.items():
            expected = seen.values[mode, step]
            own = {name for name in tensors if name in expected or name.startswith(("gradient/", "BreedNetwork_"))}
            assert own == set(expected), (mode, step)
            for name, value in expected.items():
                wanted = value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
                assert tensors[name].dtype == wanted.dtype, name
                assert (tensors[name] == wanted).all(), (mode, step, name)
