from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.drawn_photos import draw_folder
from tests.public_faults.tiny_run import Run, Seen, tiny_run


@dataclass(frozen=True)
class WatchedRun:
    """A finished run, and what it validated and tested on."""

    run: Run
    seen: Seen


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"), counts={"train": 10, "valid": 3, "test": 2})


@pytest.fixture(scope="session")
def watched(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> WatchedRun:
    """Twelve photos to validate and eight to test on, in batches of five: the last one is smaller."""
    seen = Seen()
    run = tiny_run(
        photos,
        tmp_path_factory.mktemp("watched") / "run",
        data={"batch_size": 5, "augmentation": "strong"},
        callbacks=(seen,),
    )
    return WatchedRun(run, seen)
