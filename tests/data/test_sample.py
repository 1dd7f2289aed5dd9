from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dogbreed.data import sample
from dogbreed.data.check import check_folder
from dogbreed.data.sample import BREEDS, COUNTS, draw_photo, draw_sample


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_sample(tmp_path_factory.mktemp("cache") / "sample")


def photos(root: Path) -> list[Path]:
    return sorted(root.rglob("*.png"))


def test_the_sample_has_the_photos_it_tells_of(drawn: Path) -> None:
    assert {split: len(photos(drawn / split)) for split in COUNTS} == {"train": 480, "valid": 100, "test": 160}
    assert {split: len(list((drawn / split).iterdir())) for split in COUNTS} == dict.fromkeys(COUNTS, 10)


def test_every_class_is_called_synthetic(drawn: Path) -> None:
    checked = check_folder(drawn)
    assert len(checked.folder.class_names) == 10
    assert all(name.startswith("Synthetic_") for name in checked.folder.class_names)


def test_the_check_finds_nothing_to_say_of_it(drawn: Path) -> None:
    assert check_folder(drawn).findings == ()


def test_the_same_photos_are_drawn_every_time(drawn: Path) -> None:
    def digest(number: int) -> str:
        pixels = [draw_photo(breed, np.random.default_rng(number)).tobytes() for breed in BREEDS]
        return hashlib.sha256(b"".join(pixels)).hexdigest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)
    first = min((drawn / "train").iterdir()) / "0000.png"
    generator = np.random.default_rng(sample.derived_seed(sample.VERSION, "train", 0, 0))
    assert draw_photo(BREEDS[0], generator).tobytes() == Image.open(first).tobytes()


def test_no_two_photos_are_the_same(drawn: Path) -> None:
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in photos(drawn)}) == 740


def test_photos_are_small_and_in_colour(drawn: Path) -> None:
    for path in photos(drawn)[::100]:
        with Image.open(path) as image:
            assert (image.size, image.mode) == ((96, 96), "RGB")


def test_an_interrupted_drawing_leaves_nothing_and_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [0]

    def interrupted(*arguments: object) -> Image.Image:
        calls[0] += 1
        if calls[0] == 15:
            raise KeyboardInterrupt
        return draw_photo(*arguments)

    monkeypatch.setattr(sample, "COUNTS", {"train": 2, "valid": 1, "test": 1})
    monkeypatch.setattr(sample, "draw_photo", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw_sample(tmp_path / "sample")
    assert not (tmp_path / "sample").exists()
    draw_sample(tmp_path / "sample")
    assert len(photos(tmp_path / "sample")) == 40
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]


def test_a_sample_that_is_there_is_not_drawn_again(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "draw_photo", None)
    assert draw_sample(drawn) == drawn
