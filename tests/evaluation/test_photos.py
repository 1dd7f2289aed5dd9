from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dogbreed.data.check import check_folder
from dogbreed.data.sample import BREEDS
from dogbreed.errors import DataError
from dogbreed.evaluation.photos import folder_to_judge
from tests.drawn_photos import draw_folder

NAMES = [breed.name for breed in BREEDS[:4]]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "photos", counts={"train": 8, "valid": 3, "test": 2})


def test_targets_are_those_of_the_model_not_of_the_folder(photos: Path) -> None:
    shutil.rmtree(photos / "test" / f"001.{NAMES[0]}")
    found = folder_to_judge(photos, "test", ["Other", *reversed(NAMES)])
    assert {path.parent.name: target for path, target in zip(*vars(found.splits["test"]).values(), strict=True)} == {
        f"002.{NAMES[1]}": 3,
        f"003.{NAMES[2]}": 2,
        f"004.{NAMES[3]}": 1,
    }


def test_the_other_splits_are_there_too_and_a_folder_with_only_a_test_split_will_do(photos: Path) -> None:
    assert {n: len(s) for n, s in folder_to_judge(photos, "val", NAMES).splits.items()} == {
        "val": 12,
        "train": 32,
        "test": 8,
    }
    shutil.rmtree(photos / "train")
    shutil.rmtree(photos / "valid")
    assert {n: len(s) for n, s in folder_to_judge(photos, "test", NAMES).splits.items()} == {"test": 8}


def test_all_photos_are_those_of_every_split(photos: Path) -> None:
    found = folder_to_judge(photos, "all", NAMES)
    assert {n: len(s) for n, s in found.splits.items()} == {"all": 52}
    assert "may have seen" in found.notes[0]


def test_a_folder_without_splits_is_split_as_a_run_splits_it(tmp_path: Path, photos: Path) -> None:
    whole = photos / "train"
    trained = check_folder(whole, seed=7).folder.splits["test"]
    found = folder_to_judge(whole, "test", NAMES, seed=7)
    assert found.splits["test"] == trained
    assert "data.split=all" in found.notes[0]
    assert folder_to_judge(whole, "all", NAMES).notes == ()


@pytest.mark.parametrize("missing", ["test", "valid"])
def test_a_split_that_is_not_there_is_told_with_those_that_are(photos: Path, missing: str) -> None:
    shutil.rmtree(photos / missing)
    split = {"test": "test", "valid": "val"}[missing]
    with pytest.raises(DataError, match=f"Expected a {split} folder in .*, found train, .*data.split="):
        folder_to_judge(photos, split, NAMES)


def test_classes_that_the_model_does_not_know_are_named(photos: Path) -> None:
    (photos / "test" / f"001.{NAMES[0]}").rename(photos / "test" / "001.Akita")
    with pytest.raises(DataError, match=r"found 1 of 5 that it does not know: 001.Akita. The model knows 4"):
        folder_to_judge(photos, "test", NAMES)
    with pytest.raises(DataError, match="The model knows 2, from Cat to Dog"):
        folder_to_judge(photos, "test", ["Cat", "Dog"])


def test_photos_that_cannot_be_read_are_left_out_and_named(photos: Path) -> None:
    broken = next((photos / "test").rglob("*.png"))
    broken.write_bytes(broken.read_bytes()[:100])
    found = folder_to_judge(photos, "test", NAMES)
    assert len(found.splits["test"]) == 7
    [message] = found.skipped
    assert message.startswith(broken.relative_to(photos).as_posix())


def test_a_folder_without_photos_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty" / "test" / "Akita").mkdir(parents=True)
    with pytest.raises(DataError, match="found none"):
        folder_to_judge(tmp_path / "empty", "test", NAMES)
    with pytest.raises(DataError, match="found nothing"):
        folder_to_judge(tmp_path / "nowhere", "test", NAMES)
