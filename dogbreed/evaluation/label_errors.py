"""Photos whose class is likely wrong, by confident learning (Northcutt et al., JAIR 2021, arXiv:1911.00068)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class LabelError:
    """The photo at `position`, the class that it likely shows, and the probability of the class that it is said to be.

    The lower the `score`, in [0, 1], the likelier the error.
    """

    position: int
    suggested: int
    score: float


def likely_label_errors(probabilities: npt.NDArray[np.floating], targets: npt.NDArray[np.integer]) -> list[LabelError]:
    """As many photos as confident learning counts errors, those with the least probability of their class, least first.

    Sound only for photos that the network was not trained on: of the others it has learnt the errors as well. Nothing
    is found where fewer than two classes have photos.

    Args:
        probabilities: shape (photos, num_classes), in [0, 1].
        targets: shape (photos,), in [0, num_classes).
    """
    if len(np.unique(targets)) < 2:
        return []
    # Imported here: it takes a second, and brings scikit-learn and pandas.
    from cleanlab.filter import find_label_issues

    # The order was chosen by planting errors: the margin to the best other class finds far fewer among many classes.
    likeliest_first = find_label_issues(
        targets,
        np.clip(probabilities, 0, 1),
        filter_by="low_self_confidence",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    suggested = probabilities.argmax(1)
    return [
        LabelError(int(position), int(suggested[position]), float(probabilities[position, targets[position]]))
        for position in likeliest_first
        if suggested[position] != targets[position]
    ]
