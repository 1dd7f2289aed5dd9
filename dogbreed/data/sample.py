"""The embedded sample: drawn "breeds", so that everything runs where there is no data and no network."""

from __future__ import annotations

import colorsys
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from tqdm import tqdm

from dogbreed.data.lock import locked
from dogbreed.data.randomness import derived_seed

# Drawn at twice the size and scaled down, which smooths the edges.
CANVAS = 192


@dataclass(frozen=True)
class DrawnBreed:
    """What all photos of one drawn breed have in common."""

    name: str
    hue: float
    ears: str
    coat: str


BREEDS = (
    DrawnBreed("Synthetic_spotted_pointer", 0.08, "pointed", "spots"),
    DrawnBreed("Synthetic_striped_pointer", 0.08, "pointed", "stripes"),
    DrawnBreed("Synthetic_spotted_hound", 0.08, "floppy", "spots"),
    DrawnBreed("Synthetic_striped_hound", 0.08, "floppy", "stripes"),
    DrawnBreed("Synthetic_plain_hound", 0.02, "floppy", "plain"),
    DrawnBreed("Synthetic_masked_shepherd", 0.11, "pointed", "mask"),
    DrawnBreed("Synthetic_blue_terrier", 0.6, "round", "plain"),
    DrawnBreed("Synthetic_masked_terrier", 0.6, "round", "mask"),
    DrawnBreed("Synthetic_spotted_terrier", 0.6, "round", "spots"),
    DrawnBreed("Synthetic_striped_collie", 0.3, "floppy", "stripes"),
)
COUNTS = {"train": 48, "valid": 10, "test": 16}
VERSION = "synthetic-sample-1"


def draw_sample(root: Path) -> Path:
    """Draw the sample into `root` unless it is there: 480 / 100 / 160 photos of 10 classes, always the same.

    The folder appears whole or not at all.
    """
    if root.is_dir():
        return root
    with locked(root):
        return root if root.is_dir() else _drawn(root)


def _drawn(root: Path) -> Path:
    staging = root.with_name(f".{root.name}.drawing")
    shutil.rmtree(staging, ignore_errors=True)
    jobs = [(s, c, i) for s, n in COUNTS.items() for c in range(len(BREEDS)) for i in range(n)]
    for split, number, index in tqdm(jobs, desc="Drawing the sample", unit="photo", disable=None, leave=False):
        folder = staging / split / f"{number + 1:03d}.{BREEDS[number].name}"
        folder.mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng(derived_seed(VERSION, split, number, index))
        draw_photo(BREEDS[number], generator).save(folder / f"{index:04d}.png")
    staging.replace(root)
    return root


def draw_photo(breed: DrawnBreed, generator: np.random.Generator) -> Image.Image:
    """One photo of a breed, 96 by 96 pixels: background, place, size, tilt, light and noise are random."""
    uniform = generator.uniform
    background = _colour(uniform(0, 1), uniform(0.1, 0.6), uniform(0.3, 0.9))
    canvas = Image.new("RGB", (CANVAS, CANVAS), background)
    _clutter(ImageDraw.Draw(canvas), generator)
    head, mask = _head(breed, generator)
    size = int(CANVAS * uniform(0.6, 0.9))
    tilt = uniform(-25, 25)
    head, mask = (image.rotate(tilt, Image.Resampling.BILINEAR).resize((size, size)) for image in (head, mask))
    place = tuple(generator.integers(0, CANVAS - size, size=2).tolist())
    canvas.paste(head, place, mask)
    canvas = canvas.filter(ImageFilter.GaussianBlur(uniform(0.0, 0.8))).resize((CANVAS // 2, CANVAS // 2))
    noise = generator.normal(0, 8, (CANVAS // 2, CANVAS // 2, 3))
    pixels = np.asarray(canvas, dtype=np.float64) * uniform(0.75, 1.15) + noise
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def _clutter(draw: ImageDraw.ImageDraw, generator: np.random.Generator) -> None:
    for _ in range(6):
        x, y = generator.uniform(-20, CANVAS, size=2)
        width, height = generator.uniform(10, 80, size=2)
        hue, saturation, value = generator.uniform((0, 0.1, 0.2), (1, 0.7, 0.95))
        draw.rectangle((x, y, x + width, y + height), fill=_colour(hue, saturation, value))


EARS = {
    "pointed": ([(30, 80), (45, 8), (85, 50)], [(162, 80), (147, 8), (107, 50)]),
    "floppy": ([(52, 45), (18, 60), (12, 140), (42, 130)], [(140, 45), (174, 60), (180, 140), (150, 130)]),
    "round": (
        [(30, 60), (22, 38), (38, 18), (62, 22), (76, 44)],
        [(162, 60), (170, 38), (154, 18), (130, 22), (116, 44)],
    ),
}
FACE = (36, 36, 156, 172)


def _head(breed: DrawnBreed, generator: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    coat = _colour(breed.hue + generator.normal(0, 0.025), generator.uniform(0.45, 0.75), generator.uniform(0.55, 0.85))
    dark = tuple(int(channel * 0.45) for channel in coat)
    head = Image.new("RGB", (CANVAS, CANVAS), coat)
    _coat(ImageDraw.Draw(head), breed.coat, dark, generator)
    draw, mask = ImageDraw.Draw(head), Image.new("L", (CANVAS, CANVAS), 0)
    mask_draw = ImageDraw.Draw(mask)
    for ear in EARS[breed.ears]:
        mask_draw.polygon(ear, fill=255)
        draw.polygon(ear, fill=dark)
    mask_draw.ellipse(FACE, fill=255)
    for x in (74, 118):
        draw.ellipse((x - 8, 76, x + 8, 92), fill=(20, 15, 15))
    draw.ellipse((70, 108, 122, 160), fill=tuple(min(255, int(channel * 1.25)) for channel in coat))
    draw.ellipse((84, 112, 108, 130), fill=(25, 20, 20))
    return head, mask


def _coat(draw: ImageDraw.ImageDraw, coat: str, dark: tuple[int, ...], generator: np.random.Generator) -> None:
    if coat == "spots":
        for x, y in generator.uniform(36, 156, size=(14, 2)):
            draw.ellipse((x - 7, y - 7, x + 7, y + 7), fill=dark)
    elif coat == "stripes":
        for x in range(int(generator.integers(30, 44)), 160, 20):
            draw.rectangle((x, 30, x + 8, 176), fill=dark)
    elif coat == "mask":
        draw.rectangle((36, 66, 156, 104), fill=dark)
