"""What losses say: of one batch each, or the means of epochs and evaluations."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from dogbreed.debugging.finding import Finding, issue, no_issue, not_applicable
from dogbreed.debugging.series import Series


def overfit(
    train: Series,
    val: Series,
    *,
    start_step: int = 0,
    patience: int = 1,
    ratio_threshold: float = 0.1,
    rising: float = 0.0,
) -> Finding:
    """Whether the validation loss stays above the training loss by more than a share of it.

    Args:
        train: mean training loss before each evaluation.
        val: mean loss of each evaluation, at the same steps.
        start_step: evaluations before it do not count.
        patience: so many evaluations in a row.
        ratio_threshold: of (val - train) / train.
        rising: ours; an evaluation counts only where its loss is above the lowest before it by more than this share. A
            training loss near zero makes any ratio; what a run loses by training on shows here. 0: whatever it is.

    >>> overfit(Series([0, 1], [1.0, 0.5]), Series([0, 1], [1.0, 0.9])).status
    'IssuesFound'
    """
    lowest = np.minimum.accumulate(np.asarray(val.values, dtype=float)) if len(val) else ()
    rose = [not rising or v > low * (1 + rising) for v, low in zip(val.values, lowest, strict=True)]
    rows = zip(train, val.values, rose, strict=True)
    late = [(s, _above(t, v), up) for (s, t), v, up in rows if s >= start_step]
    ratios = [entry for entry in late if not np.isnan(entry[1])]
    if len(ratios) < patience:
        return not_applicable(f"{len(ratios)} evaluations with a training loss before them, {patience} are needed.")
    row = 0
    for step, ratio, up in ratios:
        row = row + 1 if up and ratio > ratio_threshold else 0
        if row >= patience:
            return issue(
                f"The validation loss is {ratio:.0%} above the training loss, {row} evaluations in a row.",
                step=step,
                value=ratio,
                threshold=ratio_threshold,
            )
    highest = max(ratio for _, ratio, _ in ratios)
    return no_issue(f"At most {highest:.0%} above the training loss.", value=highest, threshold=ratio_threshold)


def _above(train: float, val: float) -> float:
    """How far the validation loss is above the training loss, as a share of it."""
    if val == train:
        return 0.0
    return (val - train) / abs(train) if train else np.inf * val


def overtraining(
    train: Series, val: Series, *, patience_train: int = 5, patience_validation: int = 10, delta: float = 0.1
) -> Finding:
    """Whether the run goes on although neither loss becomes better any more.

    A loss improves when it is lower than its best by more than `delta`. The rule fires at the first evaluation at
    which the training loss has not improved for more than `patience_train` evaluations, and the validation loss not
    for more than `patience_validation`.

    Args:
        train: mean training loss before each evaluation.
        val: mean loss of each evaluation, at the same steps.
        patience_train: evaluations.
        patience_validation: evaluations.
        delta: of the loss.
    """
    if len(val) <= patience_validation:
        return not_applicable(f"{len(val)} evaluations, more than {patience_validation} are needed.")
    stale = zip(val.steps, _without_gain(train, delta), _without_gain(val, delta), strict=True)
    for step, of_train, of_val in stale:
        if of_train > patience_train and of_val > patience_validation:
            return issue(
                f"For {of_val} evaluations the validation loss, and for {of_train} the training loss, has not fallen "
                f"by {delta:g}.",
                step=step,
                value=float(of_val),
                threshold=float(patience_validation),
            )
    return no_issue("One of the losses still fell.")


def _without_gain(losses: Series, delta: float) -> list[int]:
    """At each step, for how many the loss has not improved."""
    best, stale, found = np.inf, 0, []
    for value in losses.values:
        better = value < best - delta
        best, stale = (value, 0) if better else (best, stale + 1)
        found.append(stale)
    return found


def loss_not_decreasing(losses: Series, *, num_steps: int = 10, diff_percent: float = 0.0) -> Finding:
    """Whether the loss is no lower than it was some steps before.

    At the first step that is at least `num_steps` after the last look, and so on, the loss is compared with the newest
    one that is at least `num_steps` older.

    Args:
        losses: scalars.
        num_steps: between two looks, and at least between what is compared.
        diff_percent: the loss has to fall by so many percent.

    >>> loss_not_decreasing(Series([0, 4, 8, 12, 16], [0.3, 0.33, 0.31, 0.3, 0.28])).step
    12
    """
    looked = losses.steps[0] if len(losses) else 0
    compared = 0
    for position, (step, loss) in enumerate(losses):
        if step - looked < num_steps:
            continue
        older = bisect_right(losses.steps, step - num_steps, hi=position) - 1
        before, looked, compared = losses.values[older], step, compared + 1
        if not loss < before * (1 - diff_percent / 100):
            return issue(
                f"{before:.4g} at step {losses.steps[older]}, and {loss:.4g} {step - losses.steps[older]} steps later.",
                step=step,
                value=loss,
                threshold=before * (1 - diff_percent / 100),
            )
    if not compared:
        return not_applicable(f"No two losses that are {num_steps} steps apart.")
    return no_issue(f"Lower at each of {compared} comparisons.")


def learning_rate_too_high(losses: Series, *, ratio: float = 2.0, window: int = 5) -> Finding:
    """Whether training drives its own loss up, or beyond all numbers.

    Args:
        losses: of training batches.
        ratio: the mean of a window to the first loss, or to the mean of the first window where that is lower.
        window: so many losses.
    """
    values = np.asarray(losses.values, dtype=float)
    if not np.isfinite(values).all():
        first = int(np.argmin(np.isfinite(values)))
        return issue("The training loss is no number any more.", step=losses.steps[first], value=float(values[first]))
    if len(losses) <= window:
        return not_applicable(f"{len(losses)} training losses, more than {window} are needed.")
    means = np.convolve(values, np.full(window, 1 / window), mode="valid")
    # A run may blow up within its first window.
    base = min(means[0], values[0])
    ratios = means / max(base, np.finfo(float).tiny)
    high = np.flatnonzero(ratios > ratio)
    if high.size:
        step = losses.steps[int(high[0]) + window - 1]
        reason = f"The training loss rose from {base:.4g} to {means[high[0]]:.4g}."
        return issue(reason, step=step, value=float(ratios[high[0]]), threshold=ratio)
    return no_issue(f"At most {ratios.max():.2f} times the first losses.", value=float(ratios.max()), threshold=ratio)
