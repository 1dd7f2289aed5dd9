"""Runs of a second or two: by the library's parts, and by the command's own function and configuration."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from dogbreed.composed_run import CONF
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.folder import Split
from dogbreed.evaluation.evaluation import Settings
from dogbreed.models.classifier import BreedClassifier
from dogbreed.models.network import BreedNetwork
from dogbreed.train import main, quiet, train
from dogbreed.training.interruption import Interruption
from dogbreed.training.results import write_results
from dogbreed.training.trainer import build_callbacks, build_trainer

# No size that any published weights were trained with.
IMAGE_SIZE = 40
MODEL: dict[str, Any] = {
    "backbone": "shufflenet_v2_x0_5",
    "weights": None,
    "frozen": False,
    "hidden": [8],
    "image_size": IMAGE_SIZE,
    "learning_rate": 1e-2,
}
COMMAND: dict[str, Any] = {
    **{f"model.{name}": value for name, value in MODEL.items()},
    "model.dropout": 0.1,
    "data": "folder",
    "data.batch_size": 8,
    "data.num_workers": 0,
    "report": False,
    "evaluation.mirror": False,
    "evaluation.duplicates": False,
    "trainer.max_epochs": 2,
    "trainer.accelerator": "cpu",
    "trainer.precision": "32-true",
}


# What a report shows beside the figures takes longer than such a run.
JUDGED = Settings(batch_size=5, mirror=False, duplicates=False)


@dataclass(frozen=True)
class Run:
    """What a run by the library's parts left."""

    output_dir: Path
    trainer: Trainer
    module: BreedClassifier
    data: DogBreedDataModule
    metrics: dict[str, float]


class Seen(Callback):
    """Keeps what the network was given to validate and to test on: normalised images, and the targets beside them."""

    def __init__(self) -> None:
        self.batches: dict[str, list[tuple[Tensor, Tensor]]] = {"val": [], "test": []}

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.batches["val"].clear()

    def on_validation_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, *_: Any) -> None:
        self.batches["val"].append(batch)

    @contextmanager
    def judging(self, network: BreedNetwork, split: Split) -> Iterator[None]:
        """Keep what the backbone is given within the block, as far as it is of the split that comes first."""

        def keep(_: Any, inputs: tuple[Tensor, ...]) -> None:
            seen = sum(len(images) for images, _ in self.batches["test"])
            if seen < len(split):
                targets = torch.tensor(split.targets[seen : seen + len(inputs[0])])
                self.batches["test"].append((inputs[0], targets))

        handle = network.backbone.register_forward_pre_hook(keep)
        yield
        handle.remove()

    def images(self, split: str) -> Tensor:
        return torch.cat([images for images, _ in self.batches[split]])

    def targets(self, split: str) -> list[int]:
        return torch.cat([targets for _, targets in self.batches[split]]).tolist()


def tiny_run(
    photos: Path,
    output_dir: Path,
    *,
    model: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    callbacks: tuple[Callback, ...] = (),
    before: Callable[[BreedClassifier], None] = lambda _: None,
    regime: Mapping[str, Any] | None = None,
    max_epochs: int = 2,
    interruption: Interruption | None = None,
) -> Run:
    """Fit, test, write the artifact; `before` gets the module as it is before the first step."""
    quiet()
    photo_data = DogBreedDataModule(photos, **{"batch_size": 8, "num_workers": 0, **(data or {})})
    torch.manual_seed(1)
    module = BreedClassifier(photo_data.num_classes, **{**MODEL, **(model or {})})
    before(module)
    built = build_callbacks(output_dir, interruption=interruption, **(regime or {}))
    trainer = build_trainer(
        output_dir,
        max_epochs=max_epochs,
        precision="32-true",
        accelerator="cpu",
        callbacks=[*built, *callbacks],
    )
    best = train(trainer, module, photo_data)
    with ExitStack() as stack:
        for seen in (callback for callback in callbacks if isinstance(callback, Seen)):
            stack.enter_context(seen.judging(module.network, photo_data.folder.splits["test"]))
        results = write_results(output_dir, trainer, module, photo_data, best, settings=JUDGED, report=False)
    return Run(output_dir, trainer, module, photo_data, results["metrics"])


def command_run(photos: Path, output_dir: Path, **changed: Any) -> dict[str, Any]:
    """Run the command on the configuration of `conf/`, less the process around it; the card of the artifact.

    Keys have `__` for the dot: `model__dropout=0.5`.
    """
    settings = COMMAND | {name.replace("__", "."): value for name, value in changed.items()}
    settings |= {"data.root": photos, "paths.output_dir": output_dir}
    overrides = [f"{name}={'null' if value is None else value}" for name, value in settings.items()]
    output_dir.mkdir(parents=True, exist_ok=True)
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        main(compose("train", overrides))
    card: dict[str, Any] = json.loads((output_dir / "model" / "model.json").read_text())
    return card
