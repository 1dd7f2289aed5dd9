"""Loss factors that make rare classes count as much as frequent ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def balanced_weights(targets: Sequence[int], num_classes: int) -> list[float]:
    """The number of photos over the number of classes and the class's own photos (scikit-learn's "balanced").

    >>> balanced_weights([0, 0, 0, 1], num_classes=2)
    [0.6666666666666666, 2.0]
    """
    counts = Counter(targets)
    return [len(targets) / (num_classes * counts[target]) for target in range(num_classes)]
