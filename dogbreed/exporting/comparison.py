"""Whether an exported file answers as the model does, on photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dogbreed.data.randomness import derived_seed
from dogbreed.data.sample import BREEDS, draw_photo
from dogbreed.data.transforms import Preprocessing, evaluation_transform
from dogbreed.exporting.error import ExportError

BATCH_SIZES = (1, 2, 5)
# Of the largest logit where that exceeds 1: what two float32 libraries make of the same network by rounding alone.
TOLERANCE = 1e-4


def drawn_batches(preprocessing: Preprocessing) -> list[Tensor]:
    """Drawn photos as the network's evaluation sees them, uint8 of shape (batch, 3, crop, crop), none twice."""
    transform = evaluation_transform(preprocessing)
    generators = [np.random.default_rng(derived_seed("export", number)) for number in range(sum(BATCH_SIZES))]
    photos = [draw_photo(BREEDS[i % len(BREEDS)], generator) for i, generator in enumerate(generators)]
    images = torch.stack([transform(photo).as_subclass(Tensor) for photo in photos])
    return list(torch.split(images, list(BATCH_SIZES)))


def largest_difference(expected: Sequence[Tensor], answered: Sequence[Tensor]) -> float:
    """The largest absolute difference between two sequences of answers.

    Raises:
        ExportError: the shapes differ, or the difference is more than `TOLERANCE`.
    """
    shapes = [[tuple(tensor.shape) for tensor in tensors] for tensors in (expected, answered)]
    if shapes[0] != shapes[1]:
        raise ExportError(f"Expected the exported file to answer in shapes {shapes[0]}, got {shapes[1]}.")
    ours, theirs = torch.cat(list(expected)), torch.cat(list(answered))
    difference = (ours - theirs).abs().max().item()
    allowed = TOLERANCE * max(1.0, ours.abs().max().item())
    # So written that a difference that is no number is refused.
    if not difference <= allowed:
        raise ExportError(
            f"The exported file is not kept: it answers otherwise than the model, by up to {difference:g} "
            f"where {allowed:g} is allowed."
        )
    return float(difference)
