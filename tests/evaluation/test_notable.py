from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dogbreed.evaluation.notable import confused_pairs, notable_photos


def answers(photos: int = 100) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(photos, 5, generator=generator).log_softmax(1), torch.arange(photos) % 5


def test_the_photos_of_the_highest_loss_and_the_least_certain_are_found_whatever_the_blocks() -> None:
    logs, targets = answers()
    losses = -logs.gather(1, targets[:, None]).squeeze(1)
    for size in (7, 100):
        blocks = zip(logs.split(size), targets.split(size), strict=True)
        found = notable_photos(blocks, 9)
        assert [row for row, _ in found.top_losses] == losses.argsort(descending=True)[:9].tolist()
        assert [row for row, _ in found.least_certain] == logs.max(1).values.argsort()[:9].tolist()
        assert found.top_losses[0][1] == losses.max().item()
        assert found.least_certain[0][1] == logs.max(1).values.exp().min().item()


def test_fewer_photos_than_wanted_are_all_noted() -> None:
    found = notable_photos([answers(4)], 10)
    assert sorted(row for row, _ in found.top_losses) == [0, 1, 2, 3]


def test_no_right_answer_is_a_confusion() -> None:
    assert confused_pairs(np.diag([3, 4]), 5) == []


def test_pairs_that_are_confused_as_often_are_ordered_by_the_share_of_their_class() -> None:
    confusion = np.array([[10, 2, 0], [1, 1, 2], [0, 0, 5]])
    assert confused_pairs(confusion, 2) == [(1, 2, 2), (0, 1, 2)]
