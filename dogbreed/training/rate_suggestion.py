"""What a learning-rate range test says: a smoothed loss for each rate, and the rate at which it falls most steeply."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dogbreed.reporting.contents import RateSearch

Numbers = npt.NDArray[np.float64]

# Of the smoothing, in steps: this share of them, and no fewer than that.
WIDTH_SHARE, WIDTH_LEAST = 0.03, 3.0
# In standard deviations of a single loss. Where nothing but noise falls, one search in a thousand of 20 to 300 steps
# shows a fall of 2.7.
CLEAR_FALL = 3.0
# Times the median of the first losses. One that explodes, to a billion, would be smeared over all the curve.
HIGHEST, FIRST = 3.0, 5


def suggested(rates: Sequence[float], losses: Sequence[float]) -> RateSearch:
    """Smoothed losses and a suggestion, from the rate and the loss of every step, up to the first that is not finite.

    The suggestion is where the smoothed loss falls most steeply over the logarithm of the rate, before it is lowest;
    None where it does not fall clearly. Lightning's own takes the slope over the rate itself since version 2.5.3: the
    noise between the lowest rates, which lie closest together, is then the steepest.

    Args:
        rates: rising, above 0.
        losses: of single steps, as many.

    >>> rates = [10 ** (step / 16 - 6) for step in range(96)]
    >>> search = suggested(rates, [1 / (1 + rate / 1e-3) + 0.01 * (step % 2) for step, rate in enumerate(rates)])
    >>> 5e-4 < search.suggestion < 2e-3
    True
    >>> suggested(rates, [1 + 0.01 * (step % 2) for step in range(96)]).suggestion is None
    True
    """
    finite = next((step for step, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    if not finite:
        return RateSearch((), (), None)
    kept, seen = np.asarray(rates[:finite], dtype=float), np.asarray(losses[:finite], dtype=float)
    seen = np.minimum(seen, HIGHEST * np.median(seen[:FIRST]))
    smoothed = _smoothed(seen)
    step = _steepest(np.log(kept), smoothed, noise=(seen - smoothed)[: smoothed.argmin() + 1].std())
    return RateSearch(tuple(kept.tolist()), tuple(smoothed.tolist()), None if step is None else float(kept[step]))


def _smoothed(losses: Numbers) -> Numbers:
    """Averages with a Gaussian window around each step: one that only looks back would show the fall too late."""
    steps = np.arange(len(losses)) / max(WIDTH_LEAST, WIDTH_SHARE * len(losses))
    window = np.exp(-0.5 * (steps[:, None] - steps) ** 2)
    smoothed: Numbers = window @ losses / window.sum(1)
    return smoothed


def _steepest(log_rates: Numbers, smoothed: Numbers, *, noise: float) -> int | None:
    """The step of the steepest fall, between the highest loss and the lowest one after it."""
    lowest = int(smoothed.argmin())
    highest = int(smoothed[: lowest + 1].argmax())
    if smoothed[highest] - smoothed[lowest] <= CLEAR_FALL * noise:
        return None
    slopes = np.gradient(smoothed[highest : lowest + 1], log_rates[highest : lowest + 1])
    return highest + int(slopes.argmin())
