"""Whether the right class is among the most probable, with one rule where classes are equally probable."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from typing_extensions import override

from dogbreed.models.probabilities import ranking


class TopKAccuracy(Metric):
    """Share of photos whose class is among the `top_k` of `ranking`, all classes where there are fewer."""

    full_state_update = False
    higher_is_better = True
    right: Tensor
    total: Tensor

    def __init__(self, top_k: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.top_k = top_k
        self.add_state("right", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("total", torch.tensor(0), dist_reduce_fx="sum")

    @override
    def update(self, probabilities: Tensor, target: Tensor) -> None:
        self.right += (ranking(probabilities, self.top_k) == target[:, None]).any(1).sum()
        self.total += len(target)

    @override
    def compute(self) -> Tensor:
        """In [0, 1]."""
        return self.right.double().div(self.total).float()
