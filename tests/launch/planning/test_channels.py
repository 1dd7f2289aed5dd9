from __future__ import annotations

from pathlib import Path

import pytest

from dogbreed.errors import ConfigError
from launch.planning.channels import folder_channels, folder_uris, s3_channels


def folder(root: Path, *names: str) -> Path:
    for name in names:
        (root / name / "Akita").mkdir(parents=True)
    return root


def test_a_folder_of_splits_has_a_channel_for_each_called_as_on_disk(tmp_path: Path) -> None:
    root = folder(tmp_path, "train", "valid", "test")
    found = folder_channels(root, trial=False)
    assert found == {name: root / name for name in ("train", "valid", "test")}
    assert folder_uris(root, "s3://b/photos/1", found)["valid"] == "s3://b/photos/1/valid/"


def test_a_search_gets_no_test_photos(tmp_path: Path) -> None:
    assert set(folder_channels(folder(tmp_path, "train", "val", "test"), trial=True)) == {"train", "val"}
    assert set(s3_channels("s3://b/dogs/", trial=True)) == {"train", "valid"}


def test_a_folder_of_class_folders_is_one_channel(tmp_path: Path) -> None:
    root = folder(tmp_path, "Beagle", "Boxer")
    found = folder_channels(root, trial=False)
    assert found == {"photos": root}
    assert folder_uris(root, "s3://b/photos/1", found) == {"photos": "s3://b/photos/1/"}


def test_a_prefix_of_s3_ends_where_its_folder_does() -> None:
    # Without the slash, s3://b/dogs is a prefix of s3://b/dogs2 too.
    assert s3_channels("s3://b/dogs", trial=False) == {"photos": "s3://b/dogs/"}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.root=s3://"):
        folder_channels(tmp_path / "nowhere", trial=False)
