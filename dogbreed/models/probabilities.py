"""From logits to probabilities: one definition for evaluation, prediction and export."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def probabilities(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Softmax over the last dimension of logits divided by the temperature (Guo et al., 2017); no rank changes."""
    return (logits.float() / temperature).softmax(-1)


def energy(logits: Tensor) -> Tensor:
    """Minus the logarithm of the sum of the exponentials of logits, shape (batch,), low where some class fits well.

    The energy score of Liu et al. (2020) at a temperature of 1, whatever the calibration's is: probabilities say which
    class fits best, this how well any does.

    >>> energy(torch.tensor([[8.0, 0.0], [0.0, 0.0]]))
    tensor([-8.0003, -0.6931])
    """
    return -logits.float().logsumexp(-1)


def mirrored(images: Tensor) -> Tensor:
    """Images of shape (..., height, width), left and right exchanged: the second view of test-time augmentation.

    With test-time augmentation a photo's probabilities are the mean of those of the photo and of its mirror image.
    """
    return images.flip(-1)


def log_probabilities(logits: Tensor, mirrored_logits: Tensor | None = None, *, temperature: float = 1.0) -> Tensor:
    """Natural logarithms of the probabilities, with test-time augmentation where the mirror image's logits are given.

    >>> logits = torch.tensor([[2.0, 0.0]])
    >>> log_probabilities(logits, -logits).exp()
    tensor([[0.5000, 0.5000]])
    """
    plain = (logits.float() / temperature).log_softmax(-1)
    if mirrored_logits is None:
        return plain
    return torch.logaddexp(plain, (mirrored_logits.float() / temperature).log_softmax(-1)) - math.log(2)


def ranking(probabilities: Tensor, top_k: int) -> Tensor:
    """Indices of the most probable classes, shape (batch, top_k); of equally probable ones the first comes first.

    `torch.topk` and `torch.argsort` leave that order open.
    """
    return probabilities.sort(dim=1, descending=True, stable=True).indices[:, :top_k]
