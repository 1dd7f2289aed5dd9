from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dogbreed.artifacts import load_artifact
from dogbreed.errors import ArtifactError
from dogbreed.thresholds import Thresholds
from tests.trained_models import save_small

KNOWN = {"temperature": 2.0, "unsure_below": 0.65, "unfamiliar_above": -7}


@pytest.mark.parametrize(
    ("calibration", "expected"),
    [
        (KNOWN, Thresholds(0.65, -7)),
        ({**KNOWN, "unsure_below": None}, Thresholds(None, -7)),
        ({"temperature": 2.0}, None),
        (None, None),
    ],
)
def test_thresholds_come_back_with_the_model(tmp_path: Path, calibration: Any, expected: Thresholds | None) -> None:
    save_small(tmp_path, calibration=calibration)
    assert load_artifact(tmp_path).thresholds == expected


@pytest.mark.parametrize("name", ["unsure_below", "unfamiliar_above"])
@pytest.mark.parametrize("value", [True, "0.5", [0.5], float("nan"), float("inf"), 10**400])
def test_a_threshold_that_is_no_finite_number_is_refused(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(ArtifactError, match=rf"^Expected calibration\.{name} to be null or a finite number"):
        save_small(tmp_path, calibration={**KNOWN, name: value})
    assert not (tmp_path / "model.json").exists()
