from __future__ import annotations

from pathlib import Path

import pytest

from dogbreed.artifacts import load_artifact
from dogbreed.evaluation.evaluation import Settings
from dogbreed.evaluation.judgement import judge
from dogbreed.evaluation.photos import folder_to_judge
from tests.drawn_photos import draw_folder
from tests.trained_models import CLASS_NAMES, save_small


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = draw_folder(tmp_path / "photos", classes=3, counts={"test": 3})
    for folder, name in zip(sorted((root / "test").iterdir()), CLASS_NAMES, strict=True):
        folder.rename(folder.with_name(name))
    return root


def page(photos: Path, folder: Path, **details: object) -> str:
    save_small(folder / "model", **details)
    artifact = load_artifact(folder / "model")
    judge(artifact, folder_to_judge(photos, "test", artifact.class_names), folder, settings=Settings(notable=2))
    return (folder / "report.html").read_text()


def test_a_model_that_saw_drawn_pictures_says_nothing_of_the_photos_that_it_is_judged_on(
    photos: Path, tmp_path: Path
) -> None:
    shown = page(photos, tmp_path / "drawn", data={"synthetic": True})
    assert "has learnt from drawn pictures only" in shown
    assert "The photos are drawn" not in shown
    assert "drawn pictures" not in page(photos, tmp_path / "taken", data={"synthetic": False})
