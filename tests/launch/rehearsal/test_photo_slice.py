from __future__ import annotations

from pathlib import Path

from launch.rehearsal.photo_slice import photo_slice
from tests.drawn_photos import draw_folder
from tests.launch.rehearsal.jobs import channels_of

WHOLE = {"train": 10, "valid": 3, "test": 3}


def counts(folder: Path) -> dict[str, int]:
    return {entry.name: len(list(entry.rglob("*.png"))) for entry in sorted(folder.iterdir()) if entry.is_dir()}


def test_every_class_of_every_split_has_a_few_photos_in_folders_of_the_same_names(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", classes=3)
    (photos / "train/.hidden").mkdir()
    found = photo_slice(channels_of(photos), tmp_path / "slice")
    for split, count in WHOLE.items():
        names = [entry.name for entry in (photos / split).iterdir() if not entry.name.startswith(".")]
        assert counts(found[split]) == dict.fromkeys(sorted(names), min(count, 8))
        for path in found[split].rglob("*.png"):
            assert path.read_bytes() == (photos / split / path.relative_to(found[split])).read_bytes()


def test_many_classes_have_fewer_photos_each_and_enough_to_be_split(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", classes=4)
    channels = {"photos": photos / "train", "test": photos / "test"}
    found = photo_slice(channels, tmp_path / "slice", most=3)
    assert set(counts(found["photos"]).values()) == {4}
    assert set(counts(found["test"]).values()) == {1}


def test_a_file_of_weights_comes_along(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/resnet.pth").write_bytes(b"tensors")
    found = photo_slice({"weights": tmp_path / "weights"}, tmp_path / "slice")
    assert (found["weights"] / "resnet.pth").read_bytes() == b"tensors"
    alone = photo_slice({"weights": tmp_path / "weights/resnet.pth"}, tmp_path / "other")
    assert (alone["weights"] / "resnet.pth").read_bytes() == b"tensors"


def test_training_photos_that_are_still_to_be_shared_out_are_enough_for_it(tmp_path: Path) -> None:
    photos = draw_folder(tmp_path / "photos", classes=3)
    found = photo_slice({"train": photos / "train", "test": photos / "test"}, tmp_path / "slice", most=3)
    assert set(counts(found["train"]).values()) == {4}
