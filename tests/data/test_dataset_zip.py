from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from dogbreed.data.dataset_zip import fetch_dataset
from dogbreed.errors import DataError, DownloadError

COUNTS = {"train": 4, "val": 2, "test": 2}
PHOTOS = [
    f"{split}/{number}.{breed}/{index}.jpg"
    for split, photos in {"train": 2, "valid": 1, "test": 1}.items()
    for number, breed in (("001", "Akita"), ("002", "Beagle"))
    for index in range(photos)
]


class Handler(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass


class Site:
    """A folder of files on the web, and what has been asked for."""

    def __init__(self, folder: Path, port: int, asked: list[str]) -> None:
        self.folder, self.asked = folder, asked
        self.url = f"http://127.0.0.1:{port}/dogImages.zip"

    @property
    def size(self) -> int:
        return (self.folder / "dogImages.zip").stat().st_size

    def fetch(self, root: Path, **options: Any) -> Path:
        return fetch_dataset(root, **{"url": self.url, "size": self.size, "counts": COUNTS, "num_classes": 2} | options)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "site"
    folder.mkdir()
    with ZipFile(folder / "dogImages.zip", "w") as file:
        for name in PHOTOS:
            file.writestr(f"dogImages/{name}", b"photo")
        file.writestr("__MACOSX/dogImages/._train", b"litter")
    handler = type("Recorder", (Handler,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Site(folder, server.server_port, handler.asked)
        server.shutdown()
        thread.join()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "dogImages"


def photos(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in root.rglob("*.jpg")]


def test_a_data_set_is_fetched_and_unpacked_and_its_zip_removed(site: Site, root: Path) -> None:
    assert site.fetch(root) == root
    assert sorted(photos(root)) == sorted(PHOTOS)
    assert list(root.parent.iterdir()) == [root]


def test_a_complete_data_set_needs_no_request(site: Site, root: Path) -> None:
    site.fetch(root)
    site.asked.clear()
    assert site.fetch(root) == root
    assert site.asked == []


def test_an_empty_folder_is_filled(site: Site, root: Path) -> None:
    root.mkdir(parents=True)
    site.fetch(root)
    assert sorted(photos(root)) == sorted(PHOTOS)


def test_a_link_to_a_folder_to_be_filled_is_followed(site: Site, root: Path, tmp_path: Path) -> None:
    root.parent.mkdir()
    root.symlink_to(tmp_path / "disk", target_is_directory=True)
    site.fetch(root)
    assert sorted(photos(tmp_path / "disk")) == sorted(PHOTOS)


def test_the_folder_one_is_in_can_be_filled(site: Site, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir(parents=True)
    monkeypatch.chdir(root)
    site.fetch(Path())
    assert sorted(photos(root)) == sorted(PHOTOS)


def test_a_zip_put_there_by_hand_needs_no_network(site: Site, root: Path) -> None:
    root.parent.mkdir()
    (site.folder / "dogImages.zip").rename(root.with_name("dogImages.zip"))
    fetch_dataset(root, url="https://localhost:1/", size=None, counts=COUNTS, num_classes=2)
    assert sorted(photos(root)) == sorted(PHOTOS)


@pytest.mark.parametrize("name", ["train/001.Akita/1.jpg", "valid/002.Beagle/0.jpg", "test/001.Akita/0.jpg"])
def test_a_missing_photo_is_told_by_split_and_nothing_is_touched(site: Site, root: Path, name: str) -> None:
    site.fetch(root)
    site.asked.clear()
    (root / name).unlink()
    with pytest.raises(DataError, match=r"Expected train 4, val 2, test 2 photos .*found train \d, .*photos") as caught:
        site.fetch(root)
    assert f"Remove {root} and run again" in str(caught.value)
    assert len(photos(root)) == len(PHOTOS) - 1
    assert site.asked == []


def test_another_number_of_classes_is_an_error(site: Site, root: Path) -> None:
    site.fetch(root)
    with pytest.raises(DataError, match=r"of 133 classes in .* of 2 classes"):
        site.fetch(root, num_classes=133)


@pytest.mark.parametrize("content", ["notes.txt", "train/notes.txt"])
def test_a_folder_of_other_things_is_left_as_it_is(site: Site, root: Path, content: str) -> None:
    (root / content).parent.mkdir(parents=True)
    (root / content).write_text("mine")
    with pytest.raises(DataError, match="found"):
        site.fetch(root)
    assert (root / content).read_text() == "mine"
    assert site.asked == []


def test_a_file_in_the_place_of_the_folder_is_left_as_it_is(site: Site, root: Path) -> None:
    root.parent.mkdir()
    root.write_text("mine")
    with pytest.raises(DataError, match="found no photos"):
        site.fetch(root)
    assert root.read_text() == "mine"


def test_a_zip_with_other_photos_is_kept_and_named(site: Site, root: Path) -> None:
    archive = root.with_name("dogImages.zip")
    for _ in range(2):
        with pytest.raises(DataError, match=f"Remove {root} and {archive} and run again"):
            site.fetch(root, counts=COUNTS | {"test": 3})
    assert archive.stat().st_size == site.size


def test_a_damaged_zip_is_an_error_and_no_folder_appears(site: Site, root: Path) -> None:
    archive = site.folder / "dogImages.zip"
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(DataError, match="damaged"):
        site.fetch(root)
    assert not root.exists()


def test_a_zip_that_is_not_on_the_web_any_more_is_an_error(site: Site, root: Path) -> None:
    with pytest.raises(DownloadError, match=f"404.*put it at {root}.zip"):
        site.fetch(root, url=site.url + "x")
    assert list(root.parent.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"data\.root=FOLDER"):
        site.fetch(tmp_path / "file" / "dogs")


def test_several_processes_at_once_fetch_it_once(site: Site, root: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from dogbreed.data.dataset_zip import fetch_dataset
fetch_dataset(Path(sys.argv[1]), url=sys.argv[2], size={site.size}, counts={COUNTS}, num_classes=2)
"""
    command = [sys.executable, "-c", code, str(root), site.url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [("", 0)] * 3
    assert site.asked == ["/dogImages.zip"]
    assert list(root.parent.iterdir()) == [root]
