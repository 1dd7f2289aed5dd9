"""The LightningModule: the network, its loss, its optimizer and its figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics import MeanMetric
from typing_extensions import override

from dogbreed.data.transforms import Preprocessing
from dogbreed.errors import ConfigError
from dogbreed.models import schedule as schedules
from dogbreed.models.forward_paths import PATHS
from dogbreed.models.freezing import frozen_parameters
from dogbreed.models.fused_adamw import fused_adamw
from dogbreed.models.metrics import correct, evaluation_metrics, gathered, train_metrics
from dogbreed.models.network import build_network
from dogbreed.models.parameter_groups import parameter_groups

# What the network is built from: stored in the artifact, and enough to build it again.
ARCHITECTURE = ("num_classes", "backbone", "hidden", "dropout", "image_size")


class BreedClassifier(LightningModule):
    """Trains a head, and as much of the backbone as is not frozen.

    Logs `train/loss`, `train/acc`, and for val and test `loss` (cross-entropy), `acc`, `acc5`, `macro_acc`,
    `macro_f1`, `calibration_error`, all once an epoch.

    Args:
        num_classes: how many breeds, at least 2.
        backbone: a torchvision classification network, or "timm/NAME".
        weights: "imagenet", the path of a state dict of the whole network, or None for random weights.
        frozen: True trains the head only, False everything, a stage's name ("layer4") that stage and what follows.
        train_batch_norm: whether batch norm that is not frozen follows each batch, as a network trained from nothing
            needs; else it keeps the statistics of the weights, which small batches only blur. None: where there are
            no weights.
        hidden: widths of the head's hidden layers; none for a linear head.
        dropout: in the head, in [0, 1).
        image_size: side of the square that the network sees, in pixels; None for what the weights were trained with.
        learning_rate: of the head, at its highest.
        backbone_rate: the learning rate of the backbone's uppermost stage, as a factor of the head's.
        layer_decay: factor from each stage of the backbone to the one below it.
        weight_decay: of AdamW, for weights; biases and normalisation layers are not decayed.
        eps: of AdamW.
        schedule: "cosine" or "constant", after the warm-up.
        warmup: share of all steps in which the learning rate rises from near zero.
        label_smoothing: in [0, 1).
        class_weights: a factor for each class's loss, or None.
        cache: whether `dogbreed.training.run.train` may look at each photo once and keep what the frozen part says.
        frozen_forward: how it is computed then, a key of `dogbreed.models.forward_paths.PATHS`, or "auto".

    Raises:
        ConfigError: a value out of range.
        WeightsError: weights that cannot be read, fetched, or do not fit.
    """

    # Most arguments are read from `hparams`, where a checkpoint brings them back.
    def __init__(
        self,
        num_classes: int,
        *,
        backbone: str = "resnet50",
        weights: str | None = "imagenet",
        frozen: bool | str = True,
        train_batch_norm: bool | None = None,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
        image_size: int | None = None,
        learning_rate: float = 1e-3,
        backbone_rate: float = 0.1,
        layer_decay: float = 0.8,
        weight_decay: float = 1e-2,
        eps: float = 1e-8,
        schedule: str = "cosine",
        warmup: float = 0.05,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
        cache: bool = True,
        frozen_forward: str = "auto",
    ) -> None:
        super().__init__()
        train_batch_norm = weights is None if train_batch_norm is None else train_batch_norm
        self.save_hyperparameters()
        _check_settings(self.hparams)
        self.network = build_network(
            num_classes,
            backbone=backbone,
            weights=weights,
            hidden=hidden,
            dropout=dropout,
            image_size=image_size,
        )
        self.freeze_backbone(frozen)
        self._never_trained = frozen_parameters(self.network.backbone, frozen)
        self.criterion = nn.CrossEntropyLoss(_tensor(class_weights), label_smoothing=label_smoothing)
        self.train_metrics = train_metrics()
        self.losses = nn.ModuleDict({"val": MeanMetric(), "test": MeanMetric()})
        self.figures = nn.ModuleDict({s: evaluation_metrics(num_classes, f"{s}/") for s in ("val", "test")})

    @classmethod
    @override
    def load_from_checkpoint(cls, checkpoint_path: Any, **kwargs: Any) -> Self:  # type: ignore[override]
        """As Lightning's, without fetching pretrained weights that the checkpoint's own would replace at once."""
        return super().load_from_checkpoint(checkpoint_path, **{"weights": None, "weights_only": True, **kwargs})

    def freeze_backbone(self, frozen: bool | str) -> None:
        """Train no more than what `frozen` leaves, with batch norm as this module was told to treat it.

        Raises:
            ConfigError: there is no stage of that name.
        """
        self.network.freeze(frozen, train_batch_norm=self.hparams["train_batch_norm"])

    @property
    def preprocessing(self) -> Preprocessing:
        """What the network expects of a photo; the data module takes it from here."""
        return self.network.preprocessing

    @property
    def architecture(self) -> dict[str, Any]:
        """The arguments of `build_network` that make this network again, weights aside."""
        values = {name: self.hparams[name] for name in ARCHITECTURE}
        return values | {"hidden": list(values["hidden"])}

    @property
    def takes_features(self) -> bool:
        """Whether batches are features of a frozen part, not images."""
        return self.network.takes_features

    @override
    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, num_classes), of normalised images, shape (batch, 3, size, size)."""
        logits: Tensor = self.network(images)
        return logits

    @override
    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        images, target = batch
        logits = self(images)
        loss: Tensor = self.criterion(logits, target)
        self.train_metrics["loss"].update(loss.detach(), weight=len(images))
        self.train_metrics["acc"].update(correct(logits.detach(), target))
        return loss

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return
        # One process writes: the sums of all of them.
        with gathered(self.train_metrics):
            sums = {n: value.clone() for n, value in self.train_metrics.state_dict(prefix="train_metrics.").items()}
        # The second is there where a callback averages the weights: what the run goes on from.
        for held in {"state_dict", "current_model_state"} & checkpoint.keys():
            checkpoint[held] |= sums

    @override
    def on_train_start(self) -> None:
        if self.global_rank > 0:
            # Those of all processes are counted once, by the first.
            self.train_metrics.reset()

    @override
    def on_train_epoch_end(self) -> None:
        self.log_dict(self.train_metrics.compute())
        self.train_metrics.reset()

    @override
    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self._evaluate("val", *batch)

    @override
    def on_validation_epoch_end(self) -> None:
        self._log_figures("val")

    @override
    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self._evaluate("test", *batch)

    @override
    def on_test_epoch_end(self) -> None:
        self._log_figures("test")

    def _evaluate(self, split: str, images: Tensor, target: Tensor) -> None:
        logits = self(images).float()
        self.losses[split].update(nn.functional.cross_entropy(logits, target, reduction="none"))  # type: ignore[operator]
        self.figures[split].update(logits.softmax(1), target)  # type: ignore[operator]

    def _log_figures(self, split: str) -> None:
        for metric in (self.losses[split], self.figures[split]):
            value = metric.compute()  # type: ignore[operator]
            self.log_dict(value if isinstance(value, dict) else {f"{split}/loss": value}, prog_bar=False)
            metric.reset()  # type: ignore[operator]

    @override
    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        hparams = self.hparams
        groups = parameter_groups(
            self.network,
            frozen=self._never_trained,
            learning_rate=hparams["learning_rate"],
            backbone_rate=hparams["backbone_rate"],
            layer_decay=hparams["layer_decay"],
            weight_decay=hparams["weight_decay"],
        )
        optimizer = fused_adamw(groups, learning_rate=hparams["learning_rate"], eps=hparams["eps"])
        steps = schedules.total_steps(self.trainer)
        factor = schedules.schedule(hparams["schedule"], warmup=hparams["warmup"], total_steps=steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": LambdaLR(optimizer, factor), "interval": "step", "name": "learning_rate"},
        }


def _tensor(class_weights: Sequence[float] | None) -> Tensor | None:
    return None if class_weights is None else torch.tensor(class_weights)


# From, and below.
RANGES: dict[str, tuple[float, float]] = {
    "num_classes": (2, math.inf),
    "learning_rate": (0, math.inf),
    "backbone_rate": (0, math.inf),
    "layer_decay": (0, math.inf),
    "weight_decay": (0, math.inf),
    "eps": (0, math.inf),
    "label_smoothing": (0, 1),
}


def _check_settings(settings: Mapping[str, Any]) -> None:
    for name, (low, high) in RANGES.items():
        if not low <= settings[name] < high:
            raise ConfigError(f"Expected model.{name} to be in [{low}, {high}), got {settings[name]}.")
    if settings["frozen_forward"] not in ("auto", *PATHS):
        known, got = ", ".join(["auto", *PATHS]), settings["frozen_forward"]
        raise ConfigError(f"Expected model.frozen_forward to be one of {known}, got {got!r}.")
    schedules.schedule(settings["schedule"], warmup=settings["warmup"], total_steps=1)
    weights, num_classes = settings["class_weights"], settings["num_classes"]
    if weights is not None and len(weights) != num_classes:
        raise ConfigError(f"Expected a class weight for each of {num_classes} classes, got {len(weights)}.")
