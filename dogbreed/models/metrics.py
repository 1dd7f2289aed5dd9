"""The figures of a classifier, all by torchmetrics: exact over a split, whatever the sizes of its batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor
from torchmetrics import MeanMetric, Metric, MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from dogbreed.models.calibration_error import CalibrationError
from dogbreed.models.top_k import TopKAccuracy


def train_metrics() -> MetricCollection:
    """`train/loss` and `train/acc`, whose sums travel in a checkpoint so that a resumed epoch's figures are whole."""
    metrics: dict[str, Metric | MetricCollection] = {"loss": MeanMetric(), "acc": MeanMetric()}
    collection = MetricCollection(metrics, prefix="train/", compute_groups=False)
    collection.persistent(True)
    return collection


@contextmanager
def gathered(metrics: MetricCollection) -> Iterator[None]:
    """Within the block the metrics hold what those of all processes hold together."""
    members = list(metrics.values())
    for metric in members:
        metric.sync()
    try:
        yield
    finally:
        for metric in members:
            metric.unsync()


def evaluation_metrics(num_classes: int, prefix: str) -> MetricCollection:
    """Figures of class probabilities, shape (batch, num_classes), against targets, shape (batch,).

    acc: share of photos whose most probable class is right. acc5: whose class is among the five most probable.
    macro_acc: mean over the classes of a class's recall. macro_f1: mean over the classes of F1. A class that neither
    occurs nor is predicted is left out of both. calibration_error: expected calibration error with 15 bins (Guo et
    al., 2017). All in [0, 1]. Of equally probable classes the first counts as the answer.
    """
    metrics: dict[str, Metric | MetricCollection] = {
        "acc": MulticlassAccuracy(num_classes, average="micro"),
        "acc5": TopKAccuracy(5),
        "macro_acc": MulticlassAccuracy(num_classes, average="macro"),
        "macro_f1": MulticlassF1Score(num_classes, average="macro"),
        "calibration_error": CalibrationError(),
    }
    return MetricCollection(metrics, prefix=prefix, compute_groups=False)


def correct(logits: Tensor, target: Tensor) -> Tensor:
    """Whether each photo's most probable class is right, as 0 and 1; of a blended target the larger part counts."""
    expected = target.argmax(1) if target.ndim == 2 else target
    return (logits.argmax(1) == expected).float()
