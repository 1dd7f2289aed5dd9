"""Thresholds for "not sure" and "not like the photos it knows", from photos that were not trained on."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dogbreed.thresholds import Thresholds

RIGHT = 0.9  # the share of right answers that makes a probability one to rely on
CHANCE = 0.05  # that it is promised and does not hold
CANDIDATES = tuple(round(0.5 + step / 20, 2) for step in range(10))  # below even odds no answer is sure
UNUSUAL = 0.05  # the share of photos like those of validation that may look unfamiliar


def find_thresholds(
    logits: npt.NDArray[np.float32], targets: npt.NDArray[np.int64], temperature: float
) -> Thresholds | None:
    """The thresholds of a network by its answers to held-out photos; None where there are no photos.

    Args:
        logits: shape (photos, num_classes), as the network gave them.
        targets: shape (photos,).
        temperature: of the calibration; the energy is that of the logits without it.
    """
    if not len(targets):
        return None
    from scipy.special import logsumexp

    wide = np.asarray(logits, dtype=np.float64)
    confidences = np.exp(wide.max(axis=1) / temperature - logsumexp(wide / temperature, axis=1))
    right = wide.argmax(axis=1) == targets
    return Thresholds(reliable_from(confidences, right), unusual_from(-logsumexp(wide, axis=1)))


def reliable_from(confidences: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float | None:
    """The lowest probability from which on these answers are right nine times in ten, with a confidence of 95 %.

    The confidence is that of photos which had no part in training. Those of validation chose the epoch and the
    temperature: answers to new photos are right somewhat less often.

    As in selective classification (Geifman and El-Yaniv, 2017) the share of right answers is bounded from below by
    the exact binomial bound (Clopper and Pearson, 1934). Ten probabilities are tried, from 0.5 to 0.95, and share the
    chance of error (Bonferroni).

    Args:
        confidences: of the most probable class, shape (photos,).
        right: whether it was the true one.

    Returns:
        None where it cannot be shown of any: too many wrong answers, or fewer than 51 photos.

    >>> reliable_from(np.linspace(0.5, 1, 400), np.arange(400) >= 100)
    0.65
    """
    from scipy.stats import beta

    for candidate in CANDIDATES:
        kept = confidences >= candidate
        trials, successes = int(kept.sum()), int(right[kept].sum())
        bound = beta.ppf(CHANCE / len(CANDIDATES), successes, trials - successes + 1) if successes else 0.0
        if bound >= RIGHT:
            return candidate
    return None


def unusual_from(energies: npt.NDArray[np.float64]) -> float | None:
    """What one photo in twenty of the same kind exceeds at most, on average over drawings of the photos.

    The energy (Liu et al., 2020) is minus the logarithm of the sum of the exponentials of the logits: low where some
    class fits well. The rank makes the rate hold for any number of photos (Laxhammar and Falkman, 2010).

    Args:
        energies: of held-out photos, shape (photos,).

    Returns:
        None for fewer than 19 photos.

    >>> unusual_from(np.arange(100.0))
    95.0
    """
    rank = math.ceil((1 - UNUSUAL) * (len(energies) + 1) - 1e-9)
    return float(np.sort(energies)[rank - 1]) if rank <= len(energies) else None
