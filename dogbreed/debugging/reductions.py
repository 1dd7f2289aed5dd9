"""What is kept of a tensor: one number, or few, whatever its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@np.errstate(all="ignore")
def mean(tensor: Array) -> float:
    """The mean."""
    return float(np.mean(tensor))


@np.errstate(all="ignore")
def mean_absolute(tensor: Array) -> float:
    """The mean of the absolute values."""
    return float(np.mean(np.abs(tensor)))


def norm(tensor: Array) -> float:
    """The Euclidean norm."""
    return float(np.linalg.norm(tensor.ravel().astype(np.float64)))


@np.errstate(all="ignore")
def variance(tensor: Array) -> float:
    """The variance."""
    return float(np.var(tensor))


def input_variance(tensor: Array) -> float:
    """The variance of an activation's input; a single number is taken as that variance."""
    return variance(tensor) if tensor.ndim else float(tensor)


def not_finite(tensor: Array) -> tuple[int, int]:
    """How many values are not a number, and how many are infinite."""
    return int(np.isnan(tensor).sum()), int(np.isinf(tensor).sum())


def zero_percentage(tensor: Array) -> float:
    """How many of a hundred values are exactly zero."""
    return 100.0 * (tensor.size - np.count_nonzero(tensor)) / tensor.size


@np.errstate(all="ignore")
def width(tensor: Array) -> float:
    """The distance between the 5th and the 95th percentile."""
    low, high = np.percentile(tensor, [5, 95])
    return float(high - low)


def active_percentage(tensor: Array) -> Array:
    """How often of a hundred each unit is above zero; what is no number is not dead.

    Args:
        tensor: what a layer said of a batch, shape (batch, units, ...); a channel is one unit. Or the share of each
            unit already, in [0, 1], shape (units,).

    Returns:
        One number for each unit, in [0, 100].
    """
    if tensor.ndim < 2:
        return np.asarray(100.0 * tensor, dtype=np.float32)
    others = tuple(axis for axis in range(tensor.ndim) if axis != 1)
    return np.asarray(100.0 * np.mean(~(tensor <= 0), axis=others), dtype=np.float32)


@np.errstate(all="ignore")
def channel_means(images: Array, *, channel: int = 1) -> tuple[int, Array] | None:
    """How many images there are, and the mean of each of their channels.

    Args:
        images: shape (batch, channel, ...); what has no such axis is not kept.
        channel: the axis of the channels.
    """
    if images.ndim <= channel:
        return None
    others = tuple(axis for axis in range(images.ndim) if axis != channel)
    return len(images), np.asarray(np.mean(images, axis=others, dtype=np.float64))


def extremes(tensor: Array) -> tuple[float, float]:
    """The smallest and the largest value."""
    return float(np.min(tensor)), float(np.max(tensor))


@np.errstate(all="ignore")
def labels(tensor: Array) -> Array:
    """The labels of a batch as they are."""
    return np.asarray(tensor).ravel().astype(np.int32)


def best_answers(logits: Array) -> Array:
    """The position of the largest answer for each photo; answers that are positions already stay."""
    return labels(logits.argmax(1) if logits.ndim > 1 else logits)


@np.errstate(all="ignore")
def output_range(outputs: Array) -> tuple[float, float, float, float] | None:
    """Of the outputs of a batch, shape (batch, num_classes); positions of classes are not kept.

    Returns:
        The smallest, the largest, how many of a hundred are exactly zero, and how far at most the sum of a photo's
        outputs is from 1.
    """
    if outputs.ndim < 2:
        return None
    from_one = np.abs(outputs.astype(np.float64).sum(-1) - 1).max()
    return *extremes(outputs), zero_percentage(outputs), float(from_one)


def saturated_percentage(
    inputs: Array, *, bounds: Mapping[str, Sequence[float]], inactivity: float, name: str = ""
) -> float:
    """How many of a hundred units of a layer are mostly outside the bounds of its activation.

    Args:
        inputs: of the layer, shape (batch, units, ...).
        bounds: the lowest and the highest input that is not saturated, by a word of the layer's name; the last such
            word of the name counts, and the first of all where there is none.
        inactivity: a unit whose inputs are within the bounds less often of a hundred is saturated.
        name: of the tensor.
    """
    low, high = bounds[max(bounds, key=name.rfind)]
    units = inputs if inputs.ndim > 1 else inputs[None]
    inside = active_percentage(~((units < low) | (units > high)))
    return 100.0 * float(np.mean(inside < inactivity))


def same(before: Array, after: Array, *, rtol: float, atol: float, equal_nan: bool) -> bool:
    """Whether two recordings are equal, as `numpy.allclose` says."""
    return bool(np.allclose(after, before, rtol=rtol, atol=atol, equal_nan=equal_nan))


@np.errstate(all="ignore")
def update_ratio(before: Array, after: Array, *, epsilon: float) -> float | None:
    """The norm of a change by the norm of what was changed; none where zeros begin to change."""
    change, size = norm(after - before), norm(before)
    return None if change and not size else change / (size + epsilon)


@np.errstate(all="ignore")
def largest_change(before: Array, after: Array) -> float:
    """The largest absolute difference."""
    return float(np.max(np.abs(after.astype(np.float64) - before)))
