"""Faults met in public attempts at this job: each is tried here, and cannot be committed or is named.

What lies in a folder of photos, and how it is read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from dogbreed.data.check import check_folder
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.errors import DataError
from tests.data.photo_folders import add_photo, clean_folder, noise
from tests.public_faults.conftest import WatchedRun
from tests.public_faults.tiny_run import command_run

USABLE = ("grey.jpg", "transparent.png", "palette.png", "printed.jpg", "deep.png", "turned.jpg", "exif.jpg")
UNUSABLE = ("truncated.jpg", "damaged.png", "text.jpg", "empty.jpg")


def add_odd_photos(folder: Path) -> None:
    """Photos as they come from cameras, printers and broken downloads."""
    photo = noise(80, 60, seed=0)
    noise(80, 60, seed=1).convert("L").save(folder / "grey.jpg")
    noise(80, 60, seed=2).convert("RGBA").save(folder / "transparent.png")
    noise(80, 60, seed=3).convert("P").save(folder / "palette.png")
    noise(80, 60, seed=4).convert("CMYK").save(folder / "printed.jpg")
    Image.fromarray(np.arange(80 * 60, dtype=np.uint16).reshape(60, 80) * 13).save(folder / "deep.png")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    noise(80, 60, seed=5).save(folder / "turned.jpg", exif=exif)
    noise(80, 60, seed=6).save(folder / "exif.jpg", exif=exif.tobytes()[:18])
    photo.save(folder / "whole.jpg")
    content = (folder / "whole.jpg").read_bytes()
    (folder / "whole.jpg").unlink()
    (folder / "truncated.jpg").write_bytes(content[: len(content) // 2])
    photo.save(folder / "damaged.png")
    damaged = bytearray((folder / "damaged.png").read_bytes())
    damaged[len(damaged) // 2 :] = bytes(len(damaged) - len(damaged) // 2)
    (folder / "damaged.png").write_bytes(damaged)
    (folder / "text.jpg").write_text("<html>404 Not Found</html>")
    (folder / "empty.jpg").touch()


# fault 28
def test_a_run_finishes_and_names_the_photos_that_it_left_out(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    folder = min((tmp_path / "photos" / "train").iterdir())
    add_odd_photos(folder)
    card = command_run(tmp_path / "photos", tmp_path / "run", trainer__max_epochs=1)
    assert card["data"]["photos"]["train"] == 40 + len(USABLE)
    assert card["data"]["skipped"] == len(UNUSABLE)
    skipped = capsys.readouterr().out.partition("SKIPPED")[2].partition("HINTS")[0]
    assert all(f"train/{folder.name}/{name}" in skipped for name in UNUSABLE)
    assert not any(f"/{name} is " in skipped for name in USABLE)


# fault 28
def test_predict_answers_for_the_photos_that_it_can_read_and_names_the_others(
    watched: WatchedRun, tmp_path: Path
) -> None:
    add_odd_photos(tmp_path)
    model = f"model={watched.run.output_dir / 'model'}"
    ended = subprocess.run(
        [sys.executable, "-m", "dogbreed.predict", model, "top_k=1", "format=csv", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    answered = [line.partition(",")[0] for line in ended.stdout.splitlines()[1:]]
    assert sorted(answered) == sorted(str(tmp_path / name) for name in USABLE)
    named = ended.stderr.splitlines()
    assert len(named) == len(UNUSABLE)
    assert all(any(line.startswith(f"error: {tmp_path / name} ") for line in named) for name in UNUSABLE)
    assert ended.returncode == 1


# fault 30
@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_class_that_only_an_evaluation_split_has_is_refused_by_name(tmp_path: Path, split: str) -> None:
    add_photo(clean_folder(tmp_path) / split / "poodle" / "a.jpg")
    with pytest.raises(DataError, match=f"{split}/poodle is of a class that train does not have"):
        DogBreedDataModule(tmp_path).setup()


# fault 30
@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_class_that_an_evaluation_split_lacks_keeps_its_target_and_is_named(tmp_path: Path, split: str) -> None:
    shutil.rmtree(clean_folder(tmp_path) / split / "akita")
    checked = check_folder(tmp_path)
    name = {"valid": "val"}.get(split, split)
    assert set(checked.folder.splits[name].targets) == {checked.folder.class_names.index("beagle")}
    assert f"akita has no photo in {name}." in [finding.message for finding in checked.of("warning")]


# fault 30
def test_folders_that_notebooks_leave_behind_are_no_classes_and_are_named(tmp_path: Path) -> None:
    clean_folder(tmp_path)
    strays = ["train/.ipynb_checkpoints", "valid/.ipynb_checkpoints", "train/akita/.ipynb_checkpoints"]
    for stray in strays:
        add_photo(tmp_path / stray / "000-checkpoint.jpg")
    data = DogBreedDataModule(tmp_path)
    assert data.class_names == ("akita", "beagle")
    assert not any(".ipynb_checkpoints" in path.parts for split in data.folder.splits.values() for path in split.paths)
    ignored = [finding.message for finding in data.checked.findings if finding.kind == "ignored folder"]
    assert sorted(ignored) == sorted(strays)


# fault 31
@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_photo_in_two_splits_is_left_out_of_training_and_named(tmp_path: Path, split: str) -> None:
    copied = clean_folder(tmp_path) / "train" / "akita" / "000.jpg"
    shutil.copy(copied, tmp_path / split / "akita" / "copy.jpg")
    checked = check_folder(tmp_path)
    assert checked.skipped == {copied}
    assert copied not in checked.folder.splits["train"].paths
    [finding] = checked.of("skip")
    assert "train/akita/000.jpg is also in" in finding.message
    assert f"{split}/akita/copy.jpg" in finding.message


# fault 34
@pytest.mark.parametrize(("cores", "workers"), [(1, 0), (2, 1), (4, 2), (64, 8)])
def test_photos_are_opened_beside_the_training_where_there_is_more_than_one_core(
    photos: Path, monkeypatch: pytest.MonkeyPatch, cores: int, workers: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    data = DogBreedDataModule(photos)
    loaders = [data.train_dataloader(), data.val_dataloader(), data.test_dataloader()]
    assert [loader.num_workers for loader in loaders] == [workers] * 3


# fault 34
def test_a_run_begins_by_saying_how_many_processes_open_photos(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    command_run(photos, tmp_path / "run", data__num_workers=None, trainer__max_epochs=1)
    assert "1 worker process" in capsys.readouterr().out
