from __future__ import annotations

import hashlib
import json
import os
import random
from pathlib import Path

import pytest

from dogbreed.errors import DataError
from launch.shipping.manifest import Manifest, folder_manifest

PHOTOS = {"train/Akita/1.jpg": b"one", "train/Beagle/2.JPEG": b"two", "valid/Akita/3.png": b"three"}


def write(root: Path, files: dict[str, bytes], *, seconds_ago: int = 60) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        changed = path.stat().st_mtime_ns - seconds_ago * 10**9
        os.utime(path, ns=(changed, changed))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "dogs", PHOTOS)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    names: list[str] = []
    digest = hashlib.file_digest

    def noted(file: object, name: str) -> object:
        names.append(Path(getattr(file, "name", "")).name)
        return digest(file, name)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", noted)
    return names


def test_every_photo_is_there_with_its_hash_and_size(root: Path, tmp_path: Path) -> None:
    manifest = folder_manifest(root, cache_dir=tmp_path / "cache")
    assert manifest.files == {n: (hashlib.sha256(c).hexdigest(), len(c)) for n, c in PHOTOS.items()}
    assert manifest.total_bytes == 11
    assert list(manifest.files) == sorted(PHOTOS)


def test_a_single_folder_of_classes_is_a_folder_of_photos_too(tmp_path: Path) -> None:
    root = write(tmp_path / "dogs", {"Akita/1.jpg": b"1", "Beagle/deep/2.jpg": b"2"})
    assert set(folder_manifest(root, cache_dir=tmp_path / "cache").files) == {"Akita/1.jpg", "Beagle/deep/2.jpg"}


def test_hidden_files_and_what_is_no_photo_are_left_out(root: Path, tmp_path: Path) -> None:
    before = folder_manifest(root, cache_dir=tmp_path / "cache")
    litter = ["train/.DS_Store", "train/Akita/._1.jpg", "train/.hidden/1.jpg", "train/Akita/Thumbs.db", ".env"]
    write(root, dict.fromkeys([*litter, "train/Akita/notes.txt"], b"x"))
    assert folder_manifest(root, cache_dir=tmp_path / "cache").sha256 == before.sha256


def test_the_hash_is_the_folders_and_not_the_disks(root: Path, tmp_path: Path) -> None:
    there = write(tmp_path / "elsewhere", dict(reversed(PHOTOS.items())), seconds_ago=5000)
    manifests = [folder_manifest(folder, cache_dir=tmp_path / "cache") for folder in (root, there)]
    assert manifests[0].sha256 == manifests[1].sha256
    (there / "train/Akita/1.jpg").rename(there / "train/Akita/4.jpg")
    assert folder_manifest(there, cache_dir=tmp_path / "cache").sha256 != manifests[0].sha256


def test_a_manifest_survives_json(root: Path, tmp_path: Path) -> None:
    manifest = folder_manifest(root, cache_dir=tmp_path / "cache")
    again = Manifest.from_json(json.loads(json.dumps(manifest.as_json())))
    assert again == manifest
    assert again.sha256 == manifest.sha256


@pytest.mark.parametrize("content", [{}, {"files": [1]}, {"files": {"a": 1}}, [], {"files": {"a": ["x", "y"]}}])
def test_what_is_no_manifest_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no manifest|invalid literal"):
        Manifest.from_json(content)


def test_only_what_changed_is_read_again(root: Path, tmp_path: Path, reads: list[str]) -> None:
    folder_manifest(root, cache_dir=tmp_path / "cache")
    assert sorted(reads) == ["1.jpg", "2.JPEG", "3.png"]
    reads.clear()
    folder_manifest(root, cache_dir=tmp_path / "cache")
    assert reads == []
    write(root, {"train/Akita/1.jpg": b"new", "train/Akita/5.jpg": b"five"}, seconds_ago=30)
    manifest = folder_manifest(root, cache_dir=tmp_path / "cache")
    assert sorted(reads) == ["1.jpg", "5.jpg"]
    assert manifest.files["train/Akita/1.jpg"][0] == hashlib.sha256(b"new").hexdigest()


def test_a_file_that_changed_a_moment_ago_is_not_remembered(root: Path, tmp_path: Path, reads: list[str]) -> None:
    write(root, {"train/Akita/1.jpg": b"new"}, seconds_ago=0)
    folder_manifest(root, cache_dir=tmp_path / "cache")
    reads.clear()
    folder_manifest(root, cache_dir=tmp_path / "cache")
    assert reads == ["1.jpg"]


def test_a_file_put_in_anothers_place_is_read_whatever_its_time_says(
    root: Path, tmp_path: Path, reads: list[str]
) -> None:
    folder_manifest(root, cache_dir=tmp_path / "cache")
    reads.clear()
    old, new = root / "train/Akita/1.jpg", tmp_path / "new.jpg"
    new.write_bytes(b"eno")
    os.utime(new, ns=(old.stat().st_atime_ns, old.stat().st_mtime_ns))
    new.replace(old)
    manifest = folder_manifest(root, cache_dir=tmp_path / "cache")
    assert reads == ["1.jpg"]
    assert manifest.files["train/Akita/1.jpg"][0] == hashlib.sha256(b"eno").hexdigest()


def test_a_damaged_cache_is_only_lost_work(root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    expected = folder_manifest(root, cache_dir=cache)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    chance = random.Random(1)
    damaged = [b"", b"[]", b"{}", b'{"version": 1, "files": {"x": [1, 2, 3, "zz"]}}', whole[: len(whole) // 2]]
    damaged += [whole.replace(b'"files"', b'"filed"'), b'{"version": 1, "files": [1]}', chance.randbytes(100)]
    for content in damaged:
        file.write_bytes(content)
        assert folder_manifest(root, cache_dir=cache) == expected


def test_a_cache_that_cannot_be_written_is_done_without(root: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert len(folder_manifest(root, cache_dir=tmp_path / "cache").files) == 3


@pytest.mark.parametrize("name", ["a\nb.jpg", "a\\b.jpg", "a\x1b[2J.jpg", "a\udcff.jpg"])
def test_a_name_that_is_not_plain_is_refused_by_name(root: Path, name: str) -> None:
    write(root, {f"train/Akita/{name}": b"x"})
    with pytest.raises(DataError) as caught:
        folder_manifest(root)
    assert ascii(name)[1:-1] in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_folder_without_photos_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dogs").mkdir()
    for root in (tmp_path / "dogs", write(tmp_path / "notes", {"a/notes.txt": b""}), tmp_path / "missing"):
        with pytest.raises(DataError, match=r"found none|No such file"):
            folder_manifest(root)


def test_a_photo_that_cannot_be_read_is_named(root: Path) -> None:
    (root / "train" / "Akita" / "9.jpg").symlink_to("missing.jpg")
    with pytest.raises(DataError, match=r"9\.jpg.*No such file"):
        folder_manifest(root)


def test_a_photo_that_changes_while_it_is_read_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.file_digest

    def slow(file: object, name: str) -> object:
        with (root / "train/Akita/1.jpg").open("ab") as photo:
            photo.write(b"more")
        return digest(file, name)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", slow)
    with pytest.raises(DataError, match=r"1\.jpg.*changed meanwhile"):
        folder_manifest(root)
