from __future__ import annotations

import os
import shutil
import time
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from dogbreed.caching.budget import make_room
from dogbreed.caching.entries import entries, remove
from dogbreed.caching.rows import RowStore
from tests.caching.stored_rows import rows

HOUR, GIB = 3600, 2**30
Disk = namedtuple("Disk", "total used free")


def keep(cache: Path, name: str, *, hours_ago: float, count: int = 4) -> Path:
    """A store of `count` kilobytes that was last used so many hours ago."""
    folder = cache / "rows" / name
    RowStore(folder, {"what": f"rows of {name}"}).add({"row": torch.zeros(count * 1000, dtype=torch.uint8)})
    at = time.time() - hours_ago * HOUR
    os.utime(folder / "used", (at, at))
    return folder


def names(cache: Path) -> list[str]:
    return [entry.name for entry in entries(cache)]


def taken(cache: Path) -> int:
    return sum(path.lstat().st_size for path in (cache / "rows").rglob("*") if path.is_file())


def test_a_listing_names_each_store_what_it_is_and_what_it_takes_least_recently_used_first(tmp_path: Path) -> None:
    for name, hours in {"b": 2, "c": 1, "a": 3}.items():
        keep(tmp_path, name, hours_ago=hours)
    RowStore(tmp_path / "rows" / "c").add(rows(range(5)))
    found = entries(tmp_path)
    assert [entry.name for entry in found] == ["a", "b", "c"]
    assert [entry.row_count() for entry in found] == [1, 1, 6]
    assert found[0].about == {"what": "rows of a"}
    assert sum(entry.bytes for entry in found) == taken(tmp_path)
    assert found[0].last_used == pytest.approx(time.time() - 3 * HOUR, abs=60)


def test_opening_a_store_is_a_use_and_listing_it_is_none(tmp_path: Path) -> None:
    keep(tmp_path, "a", hours_ago=3)
    keep(tmp_path, "b", hours_ago=2)
    assert names(tmp_path) == names(tmp_path) == ["a", "b"]
    RowStore(tmp_path / "rows" / "a")
    assert names(tmp_path) == ["b", "a"]


def test_what_is_no_store_is_not_listed(tmp_path: Path) -> None:
    assert entries(tmp_path / "nothing") == []
    keep(tmp_path, "a", hours_ago=2)
    (tmp_path / "rows" / "a.lock").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "rows" / "link").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path) == ["a"]


def test_a_damaged_store_is_listed_with_what_can_be_read(tmp_path: Path) -> None:
    folder = keep(tmp_path, "a", hours_ago=2)
    (folder / "about.json").write_text("[")
    (folder / "damaged.safetensors").write_bytes(b"damaged")
    (folder / "used").unlink()
    (entry,) = entries(tmp_path)
    assert (entry.about, entry.row_count()) == ({}, 1)


def test_the_least_recently_used_go_until_there_is_room_and_no_more(tmp_path: Path) -> None:
    for hours, name in enumerate("edcba", 2):
        keep(tmp_path, name, hours_ago=hours)
    limit = taken(tmp_path)
    assert make_room(tmp_path, 6000, limit_bytes=limit, keep=tmp_path / "rows" / "new") is None
    assert names(tmp_path) == ["c", "d", "e"]
    assert taken(tmp_path) + 6000 <= limit


def test_where_there_is_room_nothing_goes(tmp_path: Path) -> None:
    keep(tmp_path, "a", hours_ago=100)
    assert make_room(tmp_path, 1000, limit_bytes=taken(tmp_path) + 1000, keep=tmp_path) is None
    assert names(tmp_path) == ["a"]


def test_the_one_to_keep_and_those_in_use_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, "kept", hours_ago=9)
    keep(tmp_path, "unused", hours_ago=2)
    keep(tmp_path, "in use", hours_ago=0.9)
    monkeypatch.chdir(tmp_path)
    limit = taken(tmp_path)
    assert make_room(tmp_path, 4000, limit_bytes=limit, keep=Path("rows/kept")) is None
    assert names(tmp_path) == ["kept", "in use"]
    reason = make_room(tmp_path, 8000, limit_bytes=limit, keep=Path("rows/kept"))
    assert reason is not None
    assert names(tmp_path) == ["kept", "in use"]


def test_where_it_would_not_be_enough_nothing_goes_and_the_limit_is_named(tmp_path: Path) -> None:
    keep(tmp_path, "a", hours_ago=9)
    assert make_room(tmp_path, 20_000, limit_bytes=10_000, keep=tmp_path) == (
        f"The cache holds {taken(tmp_path) / 1000:.1f} kB, and 20.0 kB more would exceed its limit of 10.0 kB. "
        "To make room: python -m dogbreed.cache clear=true"
    )
    assert names(tmp_path) == ["a"]


def test_a_disk_without_room_is_named(tmp_path: Path) -> None:
    reason = make_room(tmp_path / "not" / "yet", 10**18, limit_bytes=10**19, keep=tmp_path)
    assert reason is not None
    assert reason.startswith(f"The disk of {tmp_path}/not/yet has ")


@pytest.mark.parametrize(
    ("total", "free", "fits"),
    [
        (100 * GIB, GIB + 1000, True),
        (100 * GIB, GIB + 999, False),
        (GIB, GIB // 20 + 1000, True),
        (GIB, GIB // 20 + 998, False),
    ],
)
def test_a_part_of_the_disk_stays_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, free: int, fits: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(total, total - free, free))
    assert (make_room(tmp_path, 1000, limit_bytes=GIB, keep=tmp_path) is None) is fits


def test_stores_go_for_a_full_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, "a", hours_ago=9)
    keep(tmp_path, "b", hours_ago=8)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(100 * GIB, 99 * GIB, GIB))
    assert make_room(tmp_path, 1000, limit_bytes=GIB, keep=tmp_path) is None
    assert names(tmp_path) == ["b"]


def test_nothing_outside_the_stores_is_removed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "photo.jpg").write_bytes(b"photo" * 10_000)
    cache = tmp_path / "cache"
    folder = keep(cache, "a", hours_ago=9)
    (cache / "photos-1.json").touch()
    (folder / "link").symlink_to(outside)
    (folder / "file.safetensors").symlink_to(outside / "photo.jpg")
    (cache / "rows" / "link").symlink_to(outside)
    (found,) = entries(cache)
    assert found.bytes < 10_000
    assert remove(found) == found.bytes
    assert not folder.exists()
    make_room(cache, 1, limit_bytes=1, keep=cache)
    assert (outside / "photo.jpg").exists()
    assert (cache / "photos-1.json").exists()


def test_a_linked_folder_of_stores_belongs_to_somebody_else(tmp_path: Path) -> None:
    keep(tmp_path / "theirs", "a", hours_ago=9)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "rows").symlink_to(tmp_path / "theirs" / "rows")
    assert entries(tmp_path / "cache") == []


def test_who_has_a_store_open_reads_on_when_it_goes(tmp_path: Path) -> None:
    folder = keep(tmp_path, "a", hours_ago=9, count=1000)
    store = RowStore(folder)
    os.utime(folder / "used", (0, 0))
    assert make_room(tmp_path, 1000, limit_bytes=1000, keep=tmp_path) is None
    assert not folder.exists()
    assert store["row"].sum().item() == 0
