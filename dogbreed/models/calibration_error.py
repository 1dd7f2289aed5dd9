"""Whether a classifier is right as often as it says: counted in bins, so that no photo has to be kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from typing_extensions import override

BINS = 15


class CalibrationError(Metric):
    """Expected calibration error (Guo et al., 2017): 15 bins of the highest probability, each (low, high].

    `update` takes probabilities, shape (batch, num_classes), and targets, shape (batch,). The torchmetrics class of
    the same figure keeps every photo's confidence; this one three sums a bin, in float64.
    """

    full_state_update = False
    higher_is_better = False
    count: Tensor
    confidence: Tensor
    right: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("count", "confidence", "right"):
            self.add_state(name, torch.zeros(BINS, dtype=torch.float64), dist_reduce_fx="sum")

    @override
    def update(self, probabilities: Tensor, target: Tensor) -> None:
        confidence, answers = probabilities.max(1)
        edges = torch.linspace(0, 1, BINS + 1, device=confidence.device)
        bins = torch.bucketize(confidence, edges[1:-1])
        self.count.scatter_add_(0, bins, torch.ones_like(confidence, dtype=torch.float64))
        self.confidence.scatter_add_(0, bins, confidence.double())
        self.right.scatter_add_(0, bins, (answers == target).double())

    @override
    def compute(self) -> Tensor:
        """The mean over photos of the distance between a bin's mean confidence and its share of right answers."""
        return ((self.confidence - self.right).abs().sum() / self.count.sum()).float()
