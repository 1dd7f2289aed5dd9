"""When the loop waits for photos."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dogbreed.profiling.step_records import StepRecords

Array = NDArray[np.float64]


def waited(times: Array, steps: StepRecords) -> Array:
    """What fraction of the time before each sample the loop waited for photos, in [0, 1].

    Args:
        times: of the samples, in seconds since 1970, rising; each stands for the time since the one before.
        steps: of the run.
    """
    if len(times) < 2 or not len(steps):
        return np.zeros(len(times))
    # The waiting until a time grows during each wait, and not between them.
    seconds = steps.parts["data"]
    edges = np.stack([steps.starts, steps.starts + seconds], axis=1).ravel()
    until = np.stack([np.cumsum(seconds) - seconds, np.cumsum(seconds)], axis=1).ravel()
    moments = np.concatenate([[2 * times[0] - times[1]], times])
    fractions = np.diff(np.interp(moments, edges, until)) / np.diff(moments)
    return np.asarray(np.clip(fractions, 0.0, 1.0))
