"""How far a share that was counted on so many photos can be believed."""

from __future__ import annotations

import math

CONFIDENCE = 0.95
NORMAL_QUANTILE = 1.959963984540054  # of CONFIDENCE, two-sided


def share_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927), which keeps its coverage near 0 and 1 and with few trials.

    Returns:
        Two shares in [0, 1]; (0, 1) where nothing was tried.

    >>> low, high = share_interval(80, 100)
    >>> f"{low:.3f} {high:.3f}"
    '0.711 0.867'
    """
    if not trials:
        return 0.0, 1.0
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def gain_interval(gained: int, lost: int, trials: int) -> tuple[float, float, float]:
    """The difference of two shares on the same photos, and its 95 % interval (Agresti and Min, 2005).

    Args:
        gained: photos that only the second way answers rightly.
        lost: photos that only the first way answers rightly.
        trials: all photos.

    >>> value, low, high = gain_interval(30, 10, 1000)
    >>> f"{value:.3f} {low:.3f} {high:.3f}"
    '0.020 0.007 0.032'
    """
    if not trials:
        return 0.0, -1.0, 1.0
    # Half an observation in each of the four cells of the table keeps the coverage where few photos change.
    more, less, total = gained + 0.5, lost + 0.5, trials + 2.0
    centre = (more - less) / total
    spread = NORMAL_QUANTILE * math.sqrt(max(0.0, more + less - (more - less) ** 2 / total)) / total
    return (gained - lost) / trials, max(-1.0, centre - spread), min(1.0, centre + spread)
