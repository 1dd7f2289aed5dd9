from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from dogbreed.data.quality import pixel_statistics, quality_hints


def scene(width: int = 500, height: int = 375, seed: int = 0) -> Image.Image:
    """Draw what is like a photo to the hints: patches of all sizes, the large ones the stronger."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width), dtype=np.float64)
    for scale in (2, 4, 8, 16, 32, 64):
        patches = rng.normal(size=(height // scale + 1, width // scale + 1)) * scale**0.5
        total += np.kron(patches, np.ones((scale, scale)))[:height, :width]
    grey = np.clip(128 + 50 * total / total.std(), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def hints(image: Image.Image) -> list[str]:
    return quality_hints(*image.size, pixel_statistics(image))


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


def test_a_photo_of_one_pixel_can_be_measured() -> None:
    assert hints(Image.new("RGB", (1, 1))) == ["dark", "blank", "tiny"]
