from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dogbreed.data import scan as module
from dogbreed.data.scan import PhotoFacts, photo_facts, scan
from tests.data.photo_folders import add_class, add_photo, noise


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return sorted(add_class(tmp_path / "photos", 4).iterdir())


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "photos.json"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Note every photo that is opened."""
    seen: list[Path] = []

    def noted(path: Path) -> PhotoFacts:
        seen.append(path)
        return photo_facts(path)

    monkeypatch.setattr(module, "photo_facts", noted)
    return seen


def test_the_facts_of_a_photo_are_those_of_its_file(tmp_path: Path) -> None:
    path = add_photo(tmp_path / "a.png", noise(90, 70))
    facts = scan([path], cache=None)[path]
    assert (facts.error, facts.format, facts.width, facts.height) == (None, "PNG", 90, 70)
    assert facts.content == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts.pixels is not None
    assert 0.4 < facts.pixels.mean < 0.6


def test_a_photo_that_cannot_be_opened_has_an_error_and_stops_nothing(paths: list[Path]) -> None:
    paths[1].write_bytes(paths[1].read_bytes()[:-400])
    paths[2].unlink()
    facts = scan(paths, cache=None)
    assert [facts[path].fault for path in paths] == [None, "truncated", "unreadable", None]
    assert "truncated" in (facts[paths[1]].error or "")


def test_a_second_scan_opens_no_photo(paths: list[Path], cache: Path, opened: list[Path]) -> None:
    paths[0].write_bytes(b"")
    first = scan(paths, cache=cache)
    assert sorted(opened) == paths
    opened.clear()
    assert scan(paths, cache=cache) == first
    assert opened == []


def test_a_photo_that_changed_is_opened_again(paths: list[Path], cache: Path, opened: list[Path]) -> None:
    scan(paths, cache=cache)
    opened.clear()
    add_photo(paths[1])
    os.utime(paths[2], ns=(1, 1))
    facts = scan(paths, cache=cache)
    assert sorted(opened) == paths[1:3]
    assert facts[paths[1]] == photo_facts(paths[1])


def test_photos_that_are_gone_leave_the_cache(paths: list[Path], cache: Path) -> None:
    scan(paths, cache=cache)
    paths[0].unlink()
    scan(paths[1:], cache=cache)
    assert str(paths[0]) not in cache.read_text()


def test_a_scan_of_a_part_forgets_nothing_of_the_rest(paths: list[Path], cache: Path, opened: list[Path]) -> None:
    scan(paths, cache=cache)
    add_photo(paths[0])
    scan(paths[:1], cache=cache)
    opened.clear()
    scan(paths, cache=cache)
    assert opened == []


@pytest.mark.parametrize("damage", [b"", b"\x00\xff", b"{}", b"dogbreed scan 2 abc\n{}"])
def test_a_damaged_cache_is_ignored_and_written_anew(
    paths: list[Path], cache: Path, opened: list[Path], damage: bytes
) -> None:
    first = scan(paths, cache=cache)
    whole = cache.read_bytes()
    cache.write_bytes(damage or whole[:-7])
    assert scan(paths, cache=cache) == first
    opened.clear()
    assert scan(paths, cache=cache) == first
    assert opened == []


def test_what_an_older_version_measured_is_not_used(
    paths: list[Path], cache: Path, opened: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "VERSION", module.VERSION - 1)
        scan(paths, cache=cache)
    opened.clear()
    scan(paths, cache=cache)
    assert sorted(opened) == paths


def test_a_cache_that_cannot_be_written_costs_only_time(paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert len(scan(paths, cache=tmp_path / "file" / "photos.json")) == len(paths)


def test_an_interrupted_scan_keeps_what_it_has_found(
    paths: list[Path], cache: Path, opened: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(found: Iterator[object], *_: object, **__: object) -> Iterator[object]:
        yield from itertools.islice(found, 3)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "tqdm", interrupted)
        with pytest.raises(KeyboardInterrupt):
            scan(paths, cache=cache)
    opened.clear()
    scan(paths, cache=cache)
    assert len(opened) == len(paths) - 3


def test_the_facts_do_not_depend_on_the_number_of_workers(paths: list[Path]) -> None:
    assert scan(paths, cache=None, num_workers=1) == scan(paths, cache=None, num_workers=4)
