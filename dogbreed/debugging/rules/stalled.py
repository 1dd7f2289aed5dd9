"""Whether a run stands still."""

from __future__ import annotations

from dogbreed.debugging.finding import Finding, issue, no_issue, not_applicable
from dogbreed.debugging.series import Series


def stalled_training(times: Series, *, threshold: float = 1800.0) -> Finding:
    """Whether a step came later than so many seconds after the one before.

    Args:
        times: in seconds, when each step was recorded.
        threshold: seconds.
    """
    if len(times) < 2:
        return not_applicable("The times of fewer than two steps are known.")
    pairs = zip(times.steps[1:], times.values, times.values[1:], strict=False)
    gaps = [(after - before, step) for step, before, after in pairs]
    longest, step = max(gaps)
    if longest > threshold:
        return issue(f"{longest:.0f} s went by before this step.", step=step, value=longest, threshold=threshold)
    return no_issue(f"At most {longest:.0f} s between two steps.", value=longest, threshold=threshold)
