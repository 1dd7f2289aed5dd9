from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from dogbreed.data.quality import pixel_statistics, quality_hints, usual_sizes


def scene(width: int = 500, height: int = 375, seed: int = 0) -> Image.Image:
    """Draw what is like a photo to the hints: patches of all sizes, the large ones the stronger, in warm light."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width), dtype=np.float64)
    for scale in (2, 4, 8, 16, 32, 64):
        patches = rng.normal(size=(height // scale + 1, width // scale + 1)) * scale**0.5
        total += np.kron(patches, np.ones((scale, scale)))[:height, :width]
    brightness = np.clip(128 + 50 * total / total.std(), 0, 255)
    return Image.fromarray((brightness[..., np.newaxis] * (1.0, 0.95, 0.85)).astype(np.uint8))


def noisy(image: Image.Image, strength: float) -> Image.Image:
    """Add noise of its own to every channel; `strength` in steps of 256."""
    noise = np.random.default_rng(0).normal(0, strength, (image.height, image.width, 3))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def hints(image: Image.Image) -> list[str]:
    return quality_hints(*image.size, pixel_statistics(image))


@pytest.mark.parametrize("image", [scene(), scene(250, 201), noisy(scene(), 9), Image.new("RGB", (3, 2), "grey")])
def test_the_statistics_are_those_that_numpy_finds_in_the_pixels(image: Image.Image) -> None:
    side = min(1, 256 / min(image.size))
    size = round(image.width * side), round(image.height * side)
    pixels = np.asarray(image.convert("L").resize(size, Image.Resampling.BOX)) / 255
    inner = pixels[1:-1, 1:-1]
    sides = pixels[:-2, 1:-1] + pixels[2:, 1:-1] + pixels[1:-1, :-2] + pixels[1:-1, 2:]
    found = pixel_statistics(image)
    assert (found.mean, found.std) == pytest.approx((pixels.mean(), pixels.std()))
    assert (found.percentile_5, found.percentile_99) == pytest.approx(tuple(np.percentile(pixels, (5, 99))))
    assert found.sharpness == pytest.approx((4 * inner - sides).var() / pixels.var() if inner.size else 1.0, rel=1e-4)


@pytest.mark.parametrize("seed", range(10))
def test_an_ordinary_photo_deserves_no_hint(seed: int) -> None:
    assert hints(scene(seed=seed)) == []


@pytest.mark.parametrize(
    ("hint", "image"),
    [
        ("dark", scene().point(lambda value: value * 0.2)),
        ("light", scene().point(lambda value: 248 + value * 0.02)),
        ("blank", Image.new("RGB", (300, 300), "grey")),
        ("blurred", scene().filter(ImageFilter.GaussianBlur(6))),
        ("blurred", scene().filter(ImageFilter.GaussianBlur(12))),
        ("grey", scene().convert("L").convert("RGB")),
        ("odd shape", scene(900, 300)),
        ("odd shape", scene(300, 900)),
        ("tiny", scene(70, 60)),
    ],
)
def test_a_planted_fault_is_hinted_at(hint: str, image: Image.Image) -> None:
    assert hint in hints(image)


def test_a_photo_of_low_contrast_does_not_count_as_blurred() -> None:
    assert hints(scene().point(lambda value: 100 + value * 0.2)) == []


def test_a_blurred_photo_is_found_at_every_size() -> None:
    for scale in (1, 4):
        blurred = scene(400 * scale, 300 * scale).filter(ImageFilter.GaussianBlur(8 * scale))
        assert hints(blurred) == ["blurred"]


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_a_grey_photo_is_found_in_a_noisy_jpeg(quality: int) -> None:
    grey = scene().convert("L").convert("RGB")
    assert hints(as_jpeg(noisy(grey, 4), quality)) == ["grey"]


def test_a_photo_with_little_colour_is_not_grey() -> None:
    scarf = Image.new("RGB", (60, 60), (180, 120, 120))
    image = scene().convert("L").convert("RGB")
    image.paste(scarf, (100, 100))
    assert hints(as_jpeg(image, 75)) == []


@pytest.mark.parametrize("light", [0.1, 0.2])
def test_a_dark_photo_is_not_called_grey_as_well(light: float) -> None:
    assert hints(scene().point(lambda value: value * light)) == ["dark"]


def test_few_photos_have_no_usual_size() -> None:
    assert usual_sizes([(500, 375)] * 10) == (0.0, float("inf"))


def test_sizes_are_odd_beyond_three_times_the_range_of_the_middle_half() -> None:
    sides = np.random.default_rng(0).integers(200, 800, 200)
    lower, upper = np.percentile(sides, (25, 75))
    expected = lower - 3 * (upper - lower), upper + 3 * (upper - lower)
    assert usual_sizes([(side, side) for side in sides]) == pytest.approx(expected)


def test_where_all_photos_have_one_size_another_is_odd_only_when_it_is_far_off() -> None:
    smallest, largest = usual_sizes([(224, 224)] * 50)
    assert 224 / 4 < smallest < 224 / 2
    assert 224 * 1.5 < largest < 224 * 2


def test_a_photo_of_one_pixel_can_be_measured() -> None:
    assert hints(Image.new("RGB", (1, 1))) == ["dark", "blank", "tiny"]
