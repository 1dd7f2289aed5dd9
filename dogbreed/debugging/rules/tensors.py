"""What can be wrong with any tensor."""

from __future__ import annotations

from itertools import takewhile

from dogbreed.debugging.finding import Finding, issue, no_issue, not_applicable
from dogbreed.debugging.rules.trained import end_of, once_trained
from dogbreed.debugging.series import Tensors

NOTHING = "No such tensor was recorded."


def vanishing_gradient(gradients: Tensors, *, threshold: float = 1e-7) -> Finding:
    """Whether the mean absolute value of a gradient falls below the threshold.

    Args:
        gradients: mean absolute values. A frozen parameter has no gradient, and none is recorded.
        threshold: as above.
    """
    found = [(step, name, value) for name, series in gradients.items() for step, value in series if value == value]
    if not found:
        return not_applicable("No gradient was recorded that is a number.")
    small = [entry for entry in found if entry[2] < threshold]
    if small:
        step, name, value = min(small)
        return issue(
            f"The mean absolute gradient is {value:.2g}.", step=step, tensor=name, value=value, threshold=threshold
        )
    lowest = min(value for _, _, value in found)
    reason = f"The smallest of {len(gradients)} gradients was {lowest:.2g}."
    return no_issue(reason, value=lowest, threshold=threshold)


def exploding_tensor(tensors: Tensors, *, only_nan: bool = False) -> Finding:
    """Whether a value is not finite.

    Args:
        tensors: how many values are NaN, and how many infinite.
        only_nan: infinite ones do not count.
    """
    if not tensors:
        return not_applicable(NOTHING)
    found = [
        (step, name, nan + (0 if only_nan else infinite))
        for name, series in tensors.items()
        for step, (nan, infinite) in series
    ]
    broken = [entry for entry in found if entry[2]]
    if broken:
        step, name, count = min(broken)
        return issue(f"{count} values are not finite.", step=step, tensor=name, value=float(count), threshold=0.0)
    return no_issue(f"All values of {len(tensors)} tensors are finite.")


def all_zero(tensors: Tensors, *, threshold: float = 100.0) -> Finding:
    """Whether so many of a hundred values of a tensor are zero.

    Args:
        tensors: how many of a hundred values are zero.
        threshold: as above.
    """
    if not tensors:
        return not_applicable(NOTHING)
    found = [(step, name, zeros) for name, series in tensors.items() for step, zeros in series]
    zero = [entry for entry in found if entry[2] >= threshold]
    if zero:
        step, name, value = min(zero)
        return issue(f"{value:.0f} % of the values are zero.", step=step, tensor=name, value=value, threshold=threshold)
    highest = max((zeros for *_, zeros in found), default=0.0)
    return no_issue(f"At most {highest:.0f} % of a tensor are zero.", value=highest, threshold=threshold)


def tensor_variance(
    tensors: Tensors, *, max_threshold: float | None = None, min_threshold: float | None = None
) -> Finding:
    """Whether the variance of a tensor leaves a range that was asked for.

    Args:
        tensors: variances.
        max_threshold: the variance may not be higher.
        min_threshold: the variance may not be lower.
    """
    if max_threshold is None and min_threshold is None:
        return not_applicable("Neither max_threshold nor min_threshold is set.")
    if not tensors:
        return not_applicable(NOTHING)
    for step, name, value in sorted((s, name, v) for name, series in tensors.items() for s, v in series):
        for bound, outside in ((max_threshold, float.__gt__), (min_threshold, float.__lt__)):
            if bound is not None and outside(float(value), float(bound)):
                return issue(f"The variance is {value:.3g}.", step=step, tensor=name, value=value, threshold=bound)
    return no_issue(f"The variance of {len(tensors)} tensors stays in the range.")


def unchanged_tensor(tensors: Tensors, *, num_steps: int = 3) -> Finding:
    """Whether the newest so many recordings of a tensor are all the same, by the rules of `numpy.allclose`.

    A fifth more of them has to be the same in a long run: at its end the learning rate is next to zero.

    Args:
        tensors: whether each recording equals the one before. A tensor that does not change from its first recording
            on is taken as frozen until it first does, as long as there is one that changes.
        num_steps: recordings; 2 for less.
    """
    trained, frozen = once_trained(tensors, changed=lambda same: not same)
    pairs = max(1, num_steps - 1)
    enough = {name: series for name, series in trained.items() if len(series) >= pairs}
    if not enough:
        return not_applicable(f"No trained tensor was recorded {pairs + 1} times.")
    for name, series in enough.items():
        row = len(list(takewhile(bool, reversed(series.values))))
        if row >= pairs + end_of(series):
            return issue(
                f"The same in its last {row + 1} recordings.",
                step=series.steps[pairs - 1 - row],
                tensor=name,
                value=float(row + 1),
                threshold=float(pairs + 1),
            )
    return no_issue(f"{len(enough)} tensors change{frozen}.")
