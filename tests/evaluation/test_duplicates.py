from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from dogbreed.data.photos import open_photo
from dogbreed.data.sample import BREEDS, draw_photo
from dogbreed.evaluation.duplicates import Duplicate, PhotoFeatures, near_duplicates

Change = Callable[[Image.Image], Image.Image]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Forty different photos of two breeds, half of each."""
    folder = tmp_path_factory.mktemp("drawn")
    for number in range(40):
        draw_photo(BREEDS[number // 20], np.random.default_rng(number)).save(folder / f"{number:02}.png")
    return sorted(folder.iterdir())


def features(images: list[Image.Image]) -> npt.NDArray[np.float16]:
    """Features as good as those of a simple network: the colours of a few places."""
    return np.stack([np.asarray(image.resize((6, 6)), dtype=np.float16).ravel() - 128 for image in images])


def seen(paths: list[Path], *, mirror: bool = False) -> PhotoFeatures:
    images = [open_photo(path) for path in paths]
    return PhotoFeatures(paths, features(images), features([ImageOps.mirror(i) for i in images]) if mirror else None)


def copies(photos: list[Path], folder: Path, change: Change) -> list[Path]:
    paths = [folder / f"{photo.stem}.jpg" for photo in photos]
    for photo, path in zip(photos, paths, strict=True):
        change(open_photo(photo)).save(path, quality=75)
    return paths


def hashes(paths: list[Path]) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def pairs(found: list[Duplicate]) -> list[tuple[int, int, str]]:
    return sorted((duplicate.first, duplicate.second, duplicate.kind) for duplicate in found)


def test_different_photos_of_a_class_are_no_duplicates(drawn: list[Path]) -> None:
    assert near_duplicates([seen(drawn, mirror=True)], hashes(drawn)) == []


def test_photos_that_look_all_alike_to_the_network_are_no_duplicates(drawn: list[Path]) -> None:
    alike = np.ones((len(drawn), 8), dtype=np.float16)
    assert near_duplicates([PhotoFeatures(drawn, alike, alike)]) == []


CHANGES: dict[str, tuple[str, Change]] = {
    "re-encoded": ("nearly the same", lambda image: image),
    "smaller": ("nearly the same", lambda image: image.resize((60, 60))),
    "squashed": ("nearly the same", lambda image: image.resize((96, 77))),
    "darker": ("nearly the same", lambda image: image.point(lambda value: value * 0.7)),
    "grey": ("nearly the same", lambda image: image.convert("L")),
    "cut": ("nearly the same", lambda image: image.crop((3, 8, 85, 90))),
    "mirrored": ("mirrored", ImageOps.mirror),
    "mirrored and cut": ("mirrored", lambda image: ImageOps.mirror(image).crop((5, 0, 91, 86))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found_within_a_split(drawn: list[Path], tmp_path: Path, change: str) -> None:
    kind, function = CHANGES[change]
    photos = [*drawn, *copies([drawn[3], drawn[17], drawn[30]], tmp_path, function)]
    found = near_duplicates([seen(photos, mirror=True)], hashes(photos))
    assert pairs(found) == [(3, 40, kind), (17, 41, kind), (30, 42, kind)]
    assert all(0.5 < duplicate.similarity <= 1.001 for duplicate in found)


@pytest.mark.parametrize("change", ["re-encoded", "mirrored", "cut"])
def test_changed_copies_are_found_in_another_split(drawn: list[Path], tmp_path: Path, change: str) -> None:
    kind, function = CHANGES[change]
    test = [*drawn[30:], *copies(drawn[:2], tmp_path, function)]
    # Nobody looks at the mirror images of training photos.
    found = near_duplicates([seen(drawn[:30]), seen(test, mirror=True)], hashes([*drawn, *test]))
    assert pairs(found) == [(0, 40, kind), (1, 41, kind)]


def test_copies_of_a_file_are_found_without_opening_them() -> None:
    paths = [Path(name) for name in "abcdef"]
    contents = dict(zip(paths, ["1", "2", "1", "3", "1", "2"], strict=True))
    parts = [PhotoFeatures(paths[:4], np.eye(6)[:4]), PhotoFeatures(paths[4:], np.eye(6)[4:])]
    expected = [Duplicate(*pair, "same file", 1.0) for pair in ((0, 2), (0, 4), (1, 5))]
    assert near_duplicates(parts, contents) == expected


def test_copies_of_a_file_come_first_then_the_most_similar(drawn: list[Path], tmp_path: Path) -> None:
    same = Path(shutil.copy(drawn[5], tmp_path / "same.png"))
    changed = copies(drawn[:4], tmp_path, lambda image: image.crop((0, 0, 90, 90)))
    photos = [*drawn, *changed, same]
    found = near_duplicates([seen(photos)], hashes(photos))
    assert (found[0].first, found[0].second, found[0].kind) == (5, 44, "same file")
    assert len(found) == 5
    cosines = [duplicate.similarity for duplicate in found[1:]]
    assert cosines == sorted(cosines, reverse=True)


def test_of_the_copies_of_a_file_one_stands_for_all(drawn: list[Path], tmp_path: Path) -> None:
    same = [Path(shutil.copy(drawn[0], tmp_path / f"{number}.png")) for number in range(8)]
    photos = [*drawn, *same, *copies(drawn[:1], tmp_path, ImageOps.grayscale)]
    found = near_duplicates([seen(photos)], hashes(photos))
    assert pairs(found) == [*((0, 40 + n, "same file") for n in range(8)), (0, 48, "nearly the same")]


def test_without_hashes_copies_of_a_file_are_nearly_the_same(drawn: list[Path], tmp_path: Path) -> None:
    photos = [*drawn, Path(shutil.copy(drawn[7], tmp_path / "copy.png"))]
    assert pairs(near_duplicates([seen(photos)])) == [(7, 40, "nearly the same")]


def test_no_more_pairs_are_opened_than_asked_for_the_most_similar_first(drawn: list[Path], tmp_path: Path) -> None:
    changed = copies(drawn[:2], tmp_path, lambda image: image)
    part = seen([*drawn, *changed])
    assert len(near_duplicates([part], most_pairs=4)) == 2
    assert near_duplicates([part], most_pairs=0) == []


def test_photos_that_cannot_be_opened_are_passed_over(drawn: list[Path], tmp_path: Path) -> None:
    photos = [*drawn, *copies(drawn[:2], tmp_path, lambda image: image)]
    part = seen(photos)
    photos[40].write_bytes(b"damaged")
    assert pairs(near_duplicates([part])) == [(1, 41, "nearly the same")]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_photos_are_enough(drawn: list[Path], count: int) -> None:
    assert near_duplicates([]) == []
    part = PhotoFeatures(drawn[:count], np.ones((count, 4), dtype=np.float16))
    assert near_duplicates([part, PhotoFeatures([], np.ones((0, 4)))]) == []


def test_the_same_is_found_every_time(drawn: list[Path], tmp_path: Path) -> None:
    photos = [*drawn, *copies(drawn[::4], tmp_path, ImageOps.mirror)]
    assert near_duplicates([seen(photos)]) == near_duplicates([seen(photos)])
