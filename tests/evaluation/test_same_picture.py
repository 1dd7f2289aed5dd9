from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from dogbreed.data.photos import PhotoError
from dogbreed.data.sample import BREEDS, draw_photo
from dogbreed.evaluation.duplicates import SAME
from dogbreed.evaluation.same_picture import SIDE, Thumbnail, correlation, thumbnail


def drawn(seed: int, breed: int = 0) -> Image.Image:
    return draw_photo(BREEDS[breed], np.random.default_rng(seed)).resize((300, 300), Image.Resampling.BICUBIC)


def small(image: Image.Image) -> Thumbnail:
    pixels = np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))
    return Thumbnail(pixels, image.width / image.height)


def agreement(first: Image.Image, second: Image.Image) -> float:
    return correlation(small(first), small(second))[0]


def framed(image: Image.Image) -> Image.Image:
    return ImageOps.expand(ImageOps.expand(image.crop((30, 30, 270, 270)), 10, "white"), 20, "black")


def test_a_picture_correlates_fully_with_itself() -> None:
    value, is_mirrored = correlation(small(drawn(0)), small(drawn(0)))
    assert value == pytest.approx(1, abs=1e-4)
    assert not is_mirrored


def test_a_mirror_image_is_told_from_the_picture() -> None:
    value, is_mirrored = correlation(small(drawn(1)), small(ImageOps.mirror(drawn(1))))
    assert value > 0.95
    assert is_mirrored


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.65, 0.75, 0.85, 0.95])
def test_a_part_is_found_in_the_whole_and_the_whole_around_its_part(seed: int, share: float) -> None:
    left, top = np.random.default_rng(seed).uniform(0, 300 * (1 - share), 2).round()
    part = drawn(seed).crop((left, top, left + 300 * share, top + 300 * share))
    assert agreement(drawn(seed), part) > SAME
    assert agreement(part, drawn(seed)) == agreement(drawn(seed), part)


@pytest.mark.parametrize("box", [(0, 30, 300, 250), (20, 0, 250, 300)])
def test_a_part_of_another_shape_is_found(box: tuple[int, int, int, int]) -> None:
    assert agreement(drawn(2), drawn(2).crop(box)) > SAME


def test_a_picture_that_was_squashed_is_the_same() -> None:
    assert agreement(drawn(3), drawn(3).resize((300, 200))) > 0.9


def test_light_and_contrast_do_not_count() -> None:
    assert agreement(drawn(4), drawn(4).point(lambda value: 60 + value * 0.4)) > 0.9


@pytest.mark.parametrize("seed", range(10))
def test_different_pictures_in_the_same_frame_are_not_the_same(seed: int) -> None:
    assert agreement(framed(drawn(seed)), framed(drawn(seed + 10, seed % 10))) < SAME


@pytest.mark.parametrize("seed", range(10))
def test_different_pictures_with_the_same_watermark_are_not_the_same(seed: int) -> None:
    images = drawn(seed), drawn(seed + 10)
    for image in images:
        ImageDraw.Draw(image).text((20, 220), "© A PHOTOGRAPHER", "white", font_size=28, stroke_width=2, stroke_fill=0)
    assert agreement(*images) < SAME


@pytest.mark.parametrize("other", ["white", "grey"])
def test_blank_pictures_are_not_the_same_as_anything(other: str) -> None:
    blank = Image.new("RGB", (200, 100), other)
    assert agreement(blank, Image.new("RGB", (100, 100), "white")) < 0.01
    assert agreement(blank, drawn(0)) < SAME


def test_a_strip_is_not_looked_for_in_a_square() -> None:
    assert agreement(drawn(0), drawn(1).crop((0, 100, 300, 130))) < SAME


def test_a_photo_is_opened_upright_and_small(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn(0).resize((900, 600)).save(tmp_path / "a.jpg", exif=exif)
    opened = thumbnail(tmp_path / "a.jpg")
    assert opened.pixels.shape == (SIDE, SIDE)
    assert opened.aspect == pytest.approx(600 / 900, abs=0.01)
    (tmp_path / "b.jpg").write_bytes(b"no photo")
    with pytest.raises(PhotoError):
        thumbnail(tmp_path / "b.jpg")
