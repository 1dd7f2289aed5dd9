from __future__ import annotations

import numpy as np
import pytest

from tests.debugging.rules.recordings import ask, recordings, told


@pytest.mark.parametrize(("gap", "status"), [(1799, "NoIssuesFound"), (1800, "NoIssuesFound"), (1801, "IssuesFound")])
def test_training_stalls_for_longer_than_the_threshold(gap: float, status: str) -> None:
    times = np.cumsum([1.8e9, 1, gap, 2])
    found = ask("StalledTraining", recordings("wall_time", "wall_time", times))
    assert (found.status, found.value, found.threshold) == (status, gap, 1800.0)
    if status == "IssuesFound":
        assert told(found) == ("IssuesFound", 2, None)
        assert found.reason == "1801 s went by before this step."


def test_one_step_does_not_stall() -> None:
    assert ask("StalledTraining", recordings("wall_time", "wall_time", [1.8e9])).status == "NotApplicable"
    assert ask("StalledTraining", recordings("wall_time", "wall_time", [1, 9]), threshold=7).status == "IssuesFound"
