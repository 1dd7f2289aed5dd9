"""All figures of a split, from probabilities that come in blocks; every one of them by torchmetrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassConfusionMatrix

from dogbreed.evaluation.answers import Answers
from dogbreed.intervals import share_interval
from dogbreed.models.calibration_error import BINS, CalibrationError
from dogbreed.models.metrics import evaluation_metrics
from dogbreed.models.probabilities import log_probabilities
from dogbreed.reporting.contents import ClassFigures, ReliabilityBin

DIGITS = 7


@dataclass(frozen=True)
class Figures:
    """The figures of one way of asking a model about one split.

    `values` has loss, acc, acc5, macro_acc, macro_f1, calibration_error; `intervals` the 95 % intervals of acc and
    acc5; rows of `confusion` are targets, columns answers.
    """

    photos: int
    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    confusion: npt.NDArray[np.int64]
    bins: tuple[ReliabilityBin, ...]


def figures(answers: Answers, *, temperature: float = 1.0, tta: bool = False) -> Figures:
    """The figures of a split.

    Args:
        answers: of the network.
        temperature: of calibration; 1 changes nothing.
        tta: test-time augmentation, with what the network said of the mirror images.
    """
    num_classes = answers.logits.shape[1]
    metrics, loss = evaluation_metrics(num_classes, ""), MeanMetric()
    confusion = MulticlassConfusionMatrix(num_classes)
    for logs, target in log_blocks(answers, temperature=temperature, tta=tta):
        probabilities = logs.exp()
        metrics.update(probabilities, target)
        confusion.update(probabilities, target)
        loss.update(torch.nn.functional.nll_loss(logs, target, reduction="none"))
    found = {"loss": loss.compute()} | metrics.compute()
    # Single precision ends there: 0.9625 and 0.96249998 are the same share.
    values = {name: round(value.item(), DIGITS) for name, value in found.items()}
    photos = len(answers.split)
    counts = {name: round(values[name] * photos) for name in ("acc", "acc5")}
    error = metrics["calibration_error"]
    return Figures(
        photos,
        values,
        {name: share_interval(count, photos) for name, count in counts.items()},
        confusion.compute().numpy(),
        _bins(error) if isinstance(error, CalibrationError) else (),
    )


def log_blocks(answers: Answers, *, temperature: float, tta: bool) -> Iterator[tuple[Tensor, Tensor]]:
    """Logarithms of the probabilities, shape (photos, num_classes), and targets of the photos, block by block."""
    for rows in answers.blocks():
        yield log_rows(answers, rows, temperature=temperature, tta=tta), torch.from_numpy(answers.targets[rows])


def log_rows(answers: Answers, rows: slice, *, temperature: float, tta: bool) -> Tensor:
    """Logarithms of the probabilities of some photos, shape (photos, num_classes)."""
    # Copied: torch warns of memory that it must not write to.
    logits = torch.from_numpy(np.array(answers.logits[rows]))
    mirrored = answers.mirrored_logits if tta else None
    view = None if mirrored is None else torch.from_numpy(np.array(mirrored[rows]))
    return log_probabilities(logits, view, temperature=temperature)


def class_figures(confusion: npt.NDArray[np.int64], class_names: Sequence[str]) -> list[ClassFigures]:
    """Precision, recall with its 95 % interval, and F1 of every class; rows of `confusion` are targets."""
    right, support, answered = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    return [
        _class_figures(name, int(right[i]), int(support[i]), int(answered[i])) for i, name in enumerate(class_names)
    ]


def _class_figures(name: str, right: int, support: int, answered: int) -> ClassFigures:
    low, high = share_interval(right, support) if support else (None, None)
    return ClassFigures(
        name,
        support,
        precision=right / answered if answered else None,
        recall=right / support if support else None,
        recall_low=low,
        recall_high=high,
        f1=2 * right / (support + answered) if support + answered else None,
    )


def _bins(error: CalibrationError) -> tuple[ReliabilityBin, ...]:
    count, confidence, right = (s.tolist() for s in (error.count, error.confidence, error.right))
    return tuple(
        ReliabilityBin(i / BINS, (i + 1) / BINS, int(count[i]), confidence[i] / count[i], right[i] / count[i])
        for i in range(BINS)
        if count[i]
    )
