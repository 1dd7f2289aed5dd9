"""What the network is given."""

from __future__ import annotations

import numpy as np

from dogbreed.debugging.finding import Finding, issue, no_issue, not_applicable
from dogbreed.debugging.series import Series

NOTHING = "No photo was recorded: the network is given kept features, or the collection input_image is off."


def check_input_images(images: Series, *, threshold_mean: float = 0.2, threshold_samples: int = 500) -> Finding:
    """Whether the mean of a channel is far from zero.

    Args:
        images: of each batch its size and the means of its channels.
        threshold_mean: of an absolute mean.
        threshold_samples: so many photos are needed.
    """
    if not len(images):
        return not_applicable(NOTHING)
    counts = np.array([count for count, _ in images.values])
    if counts.sum() < threshold_samples:
        return not_applicable(f"{counts.sum()} photos were recorded, {threshold_samples} are needed.")
    means = np.average([found for _, found in images.values], axis=0, weights=counts)
    channel = int(np.argmax(np.abs(means)))
    value = float(abs(means[channel]))
    reason = f"The mean of channel {channel} is {means[channel]:.2f} over {counts.sum()} photos."
    if not value <= threshold_mean:
        return issue(reason, step=images.steps[-1], value=value, threshold=threshold_mean)
    return no_issue(reason, value=value, threshold=threshold_mean)


def input_not_normalized(images: Series, *, largest: float = 20.0) -> Finding:
    """Whether photos reach the network as they were decoded: no value below zero, or values in the hundreds.

    Args:
        images: the smallest and the largest value of each batch.
        largest: no normalised photo has a larger value.
    """
    if not len(images):
        return not_applicable(NOTHING)
    low, high = (float(end([found[side] for found in images.values])) for side, end in enumerate((np.min, np.max)))
    if np.isnan(low):
        return not_applicable("Photos with values that are no numbers were recorded: look at ExplodingTensor.")
    if low < 0 and high <= largest:
        return no_issue(f"Values from {low:.2f} to {high:.2f}.")
    value, threshold = (high, largest) if high > largest else (low, 0.0)
    reason = f"All values lie between {low:.3g} and {high:.3g}; normalised photos lie on both sides of zero, near it."
    return issue(reason, step=images.steps[0], value=value, threshold=threshold)
