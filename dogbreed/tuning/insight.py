"""Whether a search found more than chance: the best settings beside the default ones, over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean


def insight(metric: str, direction: str, default: Mapping[int, float], best: Mapping[int, float]) -> str:
    """What the figures over seeds allow to be said, in a sentence or two.

    The spread of the same settings is what chance does; a difference of means within it may be chance too.

    Args:
        metric: its name.
        direction: "minimize" or "maximize".
        default: the metric by seed, of the default settings.
        best: of the best settings.

    >>> insight("val/loss", "minimize", {42: 0.80, 43: 0.82}, {42: 0.70, 43: 0.71})[:72]
    'The best settings are better than the default: val/loss 0.7050 in place '
    """
    if not default or not best:
        return "The best settings were not compared with the default ones."
    gain = (mean(default.values()) - mean(best.values())) * (1 if direction == "minimize" else -1)
    figures = f"{metric} {mean(best.values()):.4f} in place of {mean(default.values()):.4f}"
    if min(len(default), len(best)) < 2:
        return f"{figures}, of one seed each: search.seeds=3 would say what of it may be chance."
    spread = max(_range(default), _range(best))
    over = f"the mean of {len(best)} seeds, while one setting spreads by {spread:.4f}"
    if abs(gain) <= spread:
        return f"The best settings are within the spread of the default: {figures}, {over}. The default does as well."
    if gain < 0:
        return f"The default is better than the best settings: {figures}, {over}. Keep the default."
    return f"The best settings are better than the default: {figures}, {over}."


def _range(values: Mapping[int, float]) -> float:
    return max(values.values()) - min(values.values())
