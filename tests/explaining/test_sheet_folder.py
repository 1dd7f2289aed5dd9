from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from dogbreed.errors import ConfigError
from dogbreed.explaining.sheet_folder import SheetFolder
from tests.data.photo_folders import add_photo, noise


def sheets(*photos: Path, folder: Path) -> list[str]:
    """The names of what is written for these photos."""
    written = SheetFolder(folder, kept=photos)
    return [written.write(photo, noise(8, 8, seed=0)).relative_to(folder).as_posix() for photo in photos]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_sheet_is_a_png_named_for_its_photo_in_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert sheets(Path("a.jpg"), folder=folder) == ["a.png"]
    with Image.open(folder / "a.png") as image:
        assert image.format == "PNG"
    assert names(folder) == ["a.png"]


def test_photos_of_one_name_have_a_sheet_each(tmp_path: Path) -> None:
    photos = [Path(name) for name in ("x/a.jpg", "y/a.jpg", "a-2.jpg", "a.png", "A.JPG", "b.jpg")]
    assert sheets(*photos, folder=tmp_path) == ["a.png", "a-2.png", "a-2-2.png", "a-3.png", "A-4.png", "b.png"]
    assert len(list(tmp_path.iterdir())) == len(photos)


def test_a_later_command_replaces_the_sheets_of_an_earlier_one(tmp_path: Path) -> None:
    assert [sheets(Path("a.jpg"), Path("b.jpg"), folder=tmp_path) for _ in range(2)] == [["a.png", "b.png"]] * 2
    assert names(tmp_path) == ["a.png", "b.png"]


def test_no_photo_is_overwritten_where_sheets_go_into_its_folder(tmp_path: Path) -> None:
    photos = [add_photo(tmp_path / name, noise(9, 9, seed=1)) for name in ("a.png", "b.PNG", "c.jpg")]
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "d.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "e.png").symlink_to(tmp_path / "links" / "f.png")
    photos += [tmp_path / "links" / "d.png", tmp_path / "e.png"]
    before = {photo: photo.read_bytes() for photo in photos if photo.exists()}
    written = sheets(*photos, folder=tmp_path / "links" / "..")
    assert set(written).isdisjoint({"a.png", "b.PNG", "e.png"})
    assert {photo: photo.read_bytes() for photo in before} == before


@pytest.mark.parametrize(
    "name", ["..jpg", "...", "-.jpg", "top_k=3.jpg", "a\\b.jpg", "x" * 250 + ".jpg", "ö" * 125 + ".jpg", b"\xff.jpg"]
)
def test_whatever_a_photo_is_called_its_sheet_lies_in_the_folder(tmp_path: Path, name: str | bytes) -> None:
    photo = tmp_path / "photos" / os.fsdecode(name)
    folder = tmp_path / "a" / "b"
    assert len({*sheets(photo, photo, folder=folder)}) == 2
    assert len(list(folder.iterdir())) == 2
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_a_link_in_the_folder_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "a.png").symlink_to(tmp_path / "precious")
    assert sheets(Path("a.jpg"), folder=tmp_path / "sheets") == ["a.png"]
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_folder_that_cannot_be_made_or_written_to_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        with pytest.raises(ConfigError, match=r"^Expected explain to be a folder .*, got .*: .*\.$"):
            SheetFolder(folder, kept=[])
    (tmp_path / "sheets" / "a.png").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"^Expected explain to be a folder .*: Is a directory\.$"):
        sheets(Path("a.jpg"), folder=tmp_path / "sheets")
    assert names(tmp_path / "sheets") == ["a.png"]
