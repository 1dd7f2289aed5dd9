"""Temperature scaling: one number that makes a model's probabilities mean what they say."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

COLDEST, HOTTEST = 0.05, 20.0


def fit_temperature(logits: npt.NDArray[np.float32], targets: npt.NDArray[np.int64]) -> float:
    """The temperature of the lowest cross-entropy on held-out photos (Guo et al., 2017), between 0.05 and 20.

    Targets are smoothed by one photo in all (Platt, 1999): photos that are all answered rightly would else ask for
    probabilities of exactly 1.

    Args:
        logits: shape (photos, num_classes), of photos that were not trained on.
        targets: shape (photos,).

    Returns:
        What to divide logits by; above 1 where the model was too sure of itself; 1 where there are no photos.

    >>> sure = np.array([[8.0, 0.0]] * 8 + [[0.0, 8.0]] * 2, dtype=np.float32)
    >>> temperature = fit_temperature(sure, np.zeros(10, dtype=np.int64))
    >>> round(1 / (1 + math.exp(-8 / temperature)), 2)
    0.78
    """
    if not len(targets):
        return 1.0
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    rows, wide, smoothing = np.arange(len(targets)), np.asarray(logits, dtype=np.float64), 1 / (len(targets) + 2)

    def loss(log_temperature: float) -> float:
        logs = log_softmax(wide / math.exp(log_temperature), axis=1)
        return -float((1 - smoothing) * logs[rows, targets].mean() + smoothing * logs.mean())

    bounds = math.log(COLDEST), math.log(HOTTEST)
    return math.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x)
