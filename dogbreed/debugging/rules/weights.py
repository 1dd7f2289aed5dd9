"""What weights and statistics do between two recordings, and how they began."""

from __future__ import annotations

import numpy as np

from dogbreed.debugging.finding import Finding, issue, no_issue, not_applicable
from dogbreed.debugging.rules.trained import end_of, once_trained
from dogbreed.debugging.series import Series, Tensors


def weight_update_ratio(weights: Tensors, *, large_threshold: float = 10.0, small_threshold: float = 1e-8) -> Finding:
    """Whether a weight changes by far too much, or by next to nothing.

    The newest fifth of the recordings may be too small: at the end of a run the learning rate is next to zero.

    Args:
        weights: norm of the change since the recording before, by the norm of the weight. A weight that does not
            change from its first recording on is taken as frozen until it first does.
        large_threshold: above it is an issue.
        small_threshold: below it is an issue.
    """
    trained, frozen = once_trained(weights, changed=lambda ratio: ratio > 0)
    found = sorted(
        (step, name, ratio, position >= len(series) - end_of(series))
        for name, series in trained.items()
        for position, (step, ratio) in enumerate(series)
    )
    if not found:
        return not_applicable("No weight was recorded twice.")
    for step, name, ratio, late in found:
        bound = small_threshold if ratio < small_threshold else large_threshold
        if not ratio <= large_threshold or (ratio < small_threshold and not late):
            reason = f"It changed by {ratio:.2g} of its size."
            return issue(reason, step=step, tensor=name, value=ratio, threshold=bound)
    ratios = [ratio for _, _, ratio, _ in found]
    return no_issue(f"Changes of {min(ratios):.1g} to {max(ratios):.1g} of a weight{frozen}.")


def frozen_drift(statistics: Tensors, *, tolerance: float = 1e-6) -> Finding:
    """Whether the statistics of frozen batch norm move: a frozen part is in train mode.

    Args:
        statistics: largest change of a running mean or variance since the recording before.
        tolerance: of a change.
    """
    found = sorted((step, name, change) for name, series in statistics.items() for step, change in series)
    if not found:
        return not_applicable("No frozen batch norm was seen twice: there is none, or its part is not computed.")
    for step, name, change in found:
        if not change <= tolerance:
            reason = f"A running statistic of a frozen layer moved by {change:.2g}."
            return issue(reason, step=step, tensor=name, value=change, threshold=tolerance)
    return no_issue(f"{len(statistics)} statistics of frozen layers stay as they are.")


def poor_weight_initialization(
    activation_inputs: Tensors,
    gradients: Tensors,
    losses: Series,
    *,
    threshold: float = 10.0,
    distribution_range: float = 0.001,
    steps: int = 10,
    patience: int = 5,
) -> Finding:
    """Whether first weights keep a network from learning.

    The published rule fires where, in the first steps, the variances of the inputs of activations differ by more than
    a factor between layers, or gradients lie closer together than a distance, or the loss does not fall. The first two
    are so in every deep network with pretrained weights; here they count where the network does not learn either: the
    mean of the last `patience` losses is not below that of the first.

    Args:
        activation_inputs: variance of the input of each activation.
        gradients: distance of the 5th to the 95th percentile of each gradient.
        losses: of training batches.
        threshold: of the largest variance to the smallest.
        distribution_range: of the narrowest gradient.
        steps: so many first training steps are looked at.
        patience: so many losses are averaged.
    """
    if not activation_inputs and not gradients:
        return not_applicable("Neither inputs of activations nor gradients were recorded.")
    if len(losses) < max(steps, 2 * patience):
        return not_applicable(f"{len(losses)} training losses, {max(steps, 2 * patience)} are needed.")
    symptoms = [*_unequal(activation_inputs, steps, threshold), *_narrow(gradients, steps, distribution_range)]
    first, last = np.mean(losses.values[:patience]), np.mean(losses.values[-patience:])
    if last < first:
        return no_issue(f"The loss fell from {first:.3g} to {last:.3g}{'; ' if symptoms else ''}{_but(symptoms)}.")
    return symptoms[0] if symptoms else no_issue("The loss does not fall, but not for the first weights' sake.")


def _but(symptoms: list[Finding]) -> str:
    return (
        f"what the published rule fires at ({symptoms[0].reason.rstrip('.').lower()}) did no harm" if symptoms else ""
    )


def _unequal(inputs: Tensors, steps: int, threshold: float) -> list[Finding]:
    by_step: dict[int, list[tuple[float, str]]] = {}
    for name, series in inputs.items():
        for step, variance in series:
            by_step.setdefault(step, []).append((variance, name))
    found = []
    for step, variances in sorted(by_step.items()):
        (smallest, _), (largest, name) = min(variances), max(variances)
        ratio = largest / smallest if smallest else np.inf if largest else 1.0
        if step < steps and ratio > threshold:
            reason = f"The variances of the inputs of two layers differ by a factor of {ratio:.3g}."
            found.append(issue(reason, step=step, tensor=name, value=ratio, threshold=threshold))
    return found


def _narrow(gradients: Tensors, steps: int, distribution_range: float) -> list[Finding]:
    early = sorted((step, width, name) for name, series in gradients.items() for step, width in series if step < steps)
    return [
        issue(
            f"90 % of a gradient lie within {width:.2g}.",
            step=step,
            tensor=name,
            value=width,
            threshold=distribution_range,
        )
        for step, width, name in early
        if width < distribution_range
    ]
