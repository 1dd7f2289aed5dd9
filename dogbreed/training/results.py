"""What a run leaves: test figures, the artifact with its card, tables, the report, and `metrics.json` last."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer

from dogbreed.artifacts import save_artifact
from dogbreed.atomic import write_text
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.folder import Split
from dogbreed.errors import ConfigError
from dogbreed.evaluation.evaluation import Evaluation, Settings, evaluate
from dogbreed.evaluation.results import summary, write_tables
from dogbreed.evaluation.scratch import scratch_folder
from dogbreed.evaluation.thresholds import find_thresholds
from dogbreed.features.frozen_features import FrozenFeatures
from dogbreed.model_card import model_card
from dogbreed.models.classifier import BreedClassifier
from dogbreed.training.limits import limits
from dogbreed.training.precision import MIXED
from dogbreed.training.run_report import run_report


def write_results(
    output_dir: str | Path,
    trainer: Trainer,
    module: BreedClassifier,
    data: DogBreedDataModule,
    metrics: Mapping[str, float],
    *,
    settings: Settings | None = None,
    report: bool = True,
    command: Sequence[str] = (),
) -> dict[str, Any]:
    """Test the module on the test split and leave what is known of it: artifact, tables, report, `metrics.json`.

    `metrics.json` is written last: where it is, the run is complete.

    Args:
        output_dir: of the run.
        trainer: that fitted the module.
        module: with the weights of the best epoch.
        data: the photos.
        metrics: of `train`.
        settings: how the network is asked; None for the data module's batches and workers.
        report: whether to draw `report.html`.
        command: that made the run, for the report.

    Returns:
        What `metrics.json` holds; empty in all processes but the first.

    Raises:
        ArtifactError: the artifact could not be written, or does not answer as the module does.
    """
    if not trainer.is_global_zero:
        return {}
    output_dir = Path(output_dir)
    module.network.to(trainer.strategy.root_device)
    with scratch_folder(output_dir) as scratch:
        evaluation = evaluate(
            module.network,
            data.class_names,
            judged_splits(trainer, data),
            root=data.folder.root,
            scratch=scratch,
            contents=data.checked.contents,
            settings=settings or default_settings(trainer, data),
            features=backbone_features(module, data),
        )
        details = _details(trainer, module, data, metrics, evaluation)
        artifact = save_artifact(
            output_dir / "model",
            module.network,
            architecture=module.architecture,
            class_names=data.class_names,
            details=details,
        )
        write_text(output_dir / "model" / "README.md", model_card(artifact.card))
        write_tables(output_dir, evaluation)
        if report:
            page = run_report(evaluation, trainer, module, data, details, command=command)
            write_text(output_dir / "report.html", page)
    write_text(output_dir / "metrics.json", json.dumps(details, indent=2))
    return details


def backbone_features(module: BreedClassifier, data: DogBreedDataModule) -> FrozenFeatures | None:
    """The features that the run was trained on, where they are those that the head is given."""
    features = data.features
    if isinstance(features, FrozenFeatures) and features.cut.upper is module.network.head:
        return features
    return None


def default_settings(trainer: Trainer, data: DogBreedDataModule) -> Settings:
    """How a run's network is asked where nothing else is said."""
    mixed = str(trainer.precision) in MIXED
    return Settings(batch_size=data.batch_size, num_workers=data.num_workers, mixed_precision=mixed)


def judged_splits(trainer: Trainer, data: DogBreedDataModule) -> dict[str, Split]:
    """The splits of the run, the test split within the trainer's limit.

    Raises:
        ConfigError: the limit leaves no photo to test on.
    """
    limit, test = trainer.limit_test_batches, data.folder.splits["test"]
    batches = math.ceil(len(test) / data.batch_size)
    # Of the Trainer's limits 1 means one batch, 1.0 means all.
    used = (limit if isinstance(limit, int) else int(batches * limit)) * data.batch_size
    if not used:
        raise ConfigError(f"Expected trainer.limit_test_batches to leave photos to test on, got {limit} of {batches}.")
    return data.folder.splits | {"test": Split(test.paths[:used], test.targets[:used])}


def _details(
    trainer: Trainer,
    module: BreedClassifier,
    data: DogBreedDataModule,
    metrics: Mapping[str, float],
    evaluation: Evaluation,
) -> dict[str, Any]:
    found = summary(evaluation)
    return {
        "training": training_summary(module),
        **found,
        "metrics": {**metrics, **found["metrics"]},
        "calibration": calibration_summary(evaluation),
        "data": data_summary(data),
        "limits": limits(trainer),
    }


def calibration_summary(evaluation: Evaluation) -> dict[str, Any]:
    """What validation photos taught about the answers: the temperature, and the thresholds where there were any."""
    held_out, temperature = evaluation.answers.get("val"), evaluation.temperature
    found = {"temperature": temperature, "split": "val", "photos": len(held_out.split) if held_out else 0}
    thresholds = find_thresholds(held_out.logits, held_out.targets, temperature) if held_out else None
    return {**found, **(thresholds.to_dict() if thresholds else {})}


def training_summary(module: BreedClassifier) -> dict[str, Any]:
    """The regime of a run and its settings, as JSON holds them."""
    settings = {name: list(v) if isinstance(v, tuple) else v for name, v in dict(module.hparams).items()}
    frozen = settings["frozen"]
    regime = {True: "frozen backbone", False: "fine-tuned"}.get(frozen) if isinstance(frozen, bool) else None
    trained, total = trainable_parameters(module)
    return {
        "regime": regime or f"fine-tuned from {frozen}",
        "trainable_parameters": trained,
        "parameters": total,
        "settings": settings,
    }


def trainable_parameters(module: BreedClassifier) -> tuple[int, int]:
    """How many parameters have a gradient, and how many there are."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in module.network.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)


def data_summary(data: DogBreedDataModule) -> dict[str, Any]:
    """What the run was trained and tested on."""
    return {
        "num_classes": data.num_classes,
        "photos": {name: len(split) for name, split in data.folder.splits.items()},
        "skipped": len(data.checked.skipped),
        "synthetic": data.synthetic,
    }
