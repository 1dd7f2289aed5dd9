"""Which photos of poor quality the check of a folder hints at, and which sound ones.

    python benchmarks/photo_quality.py PHOTOS

PHOTOS is a folder of photos in class folders. Beside its photos, poor versions of some of them are planted, one kind
after the other, saved as JPEG of quality 85. Prints a table: of the planted photos the share that gets its hint
(recall), of all photos with the hint the share that was planted (precision), and the untouched photos that get it,
which are named on stderr: look at them, some deserve it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from dogbreed.data.check import check_folder
from dogbreed.data.folder import photo_files
from dogbreed.data.photos import open_photo

Change = Callable[[Image.Image], Image.Image]


def brightness(low: float, high: float) -> Change:
    """Black becomes `low` and white `high`, of 255."""
    return lambda image: image.point(lambda value: low + value * (high - low) / 255)


def blurred(radius: float) -> Change:
    """A Gaussian blur, its standard deviation in pixels of a photo whose short side has 256."""
    return lambda image: image.filter(ImageFilter.GaussianBlur(radius * min(image.size) / 256))


def resized(scale: float) -> Change:
    """Both sides times `scale`."""
    return lambda image: image.resize((round(image.width * scale), round(image.height * scale)))


def short_side(side: int) -> Change:
    """The short side at `side` pixels."""
    return lambda image: resized(side / min(image.size))(image)


def strip(ratio: float) -> Change:
    """A strip out of the middle of the photo, so many times as high as wide."""
    return lambda image: image.crop(
        (0, int(image.height * 0.4), image.width, int(image.height * 0.4 + image.width * ratio))
    )


def noisy(strength: float) -> Change:
    """Noise of its own in every channel; standard deviation in steps of 256."""

    def add(image: Image.Image) -> Image.Image:
        noise = np.random.default_rng(image.width).normal(0, strength, (image.height, image.width, 3))
        return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))

    return add


def grey(image: Image.Image) -> Image.Image:
    """Without colour, stored as RGB."""
    return image.convert("L").convert("RGB")


def one_colour(image: Image.Image) -> Image.Image:
    """Nothing but the mean colour of the photo."""
    return image.resize((1, 1), Image.Resampling.BOX).resize(image.size)


PLANTED: dict[str, dict[str, Change]] = {
    "dark": {"0.3 of the brightness": brightness(0, 76), "0.2": brightness(0, 51), "0.1": brightness(0, 26)},
    "light": {"washed out to 225 and above": brightness(225, 255), "240": brightness(240, 255)},
    "blank": {"one colour": one_colour, "one colour, noise 1": lambda image: noisy(1)(one_colour(image))},
    "blurred": {f"Gaussian {radius} px of 256": blurred(radius) for radius in (2, 3, 6)},
    "grey": {
        "stored as RGB": grey,
        "noise 2 in each channel": lambda i: noisy(2)(grey(i)),
        "noise 4": lambda i: noisy(4)(grey(i)),
    },
    "odd shape": {"a strip 3 : 1": strip(1 / 3), "5 : 1": strip(1 / 5)},
    "odd size": {"0.25 of the sides": resized(0.25), "4 times": resized(4)},
    "tiny": {"short side 60": short_side(60), "32": short_side(32)},
}


def plant(kind: str, photos: list[Path], folder: Path, each: int) -> dict[Path, str]:
    """Put poor versions of some photos into a folder, `each` of every strength, which is given with their paths."""
    drawn, planted = random.Random(kind), {}
    for number, (strength, change) in enumerate(PLANTED[kind].items()):
        for photo in drawn.sample(photos, each):
            path = folder / photo.parent.name / f"planted-{number}-{photo.stem}.jpg"
            change(open_photo(photo)).save(path, quality=85)
            planted[path] = strength
    return planted


def row(kind: str, planted: dict[Path, str], hinted: set[Path], each: int) -> str:
    """The figures of one kind, as a row of the table."""
    untouched = sorted(path.name for path in hinted - planted.keys())
    print(f"{kind}, untouched:", *untouched, file=sys.stderr)
    right = Counter(planted[path] for path in hinted & planted.keys())
    recalls = ", ".join(f"{right[strength] / each:.1%}" for strength in PLANTED[kind])
    precision = right.total() / max(len(hinted), 1)
    return f"| {kind} | {', '.join(PLANTED[kind])} | {recalls} | {precision:.1%} | {len(untouched)} |"


def main() -> None:
    """Plant, check, and print a row for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--each", type=int, default=40, help="photos planted of each kind and strength")
    options = parser.parse_args()
    photos = list(photo_files(options.photos))
    print(f"{len(photos)} untouched photos, {options.each} planted of each kind and strength\n")
    print("| hint | planted | recall | precision | untouched with the hint |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        shutil.copytree(options.photos, folder)
        for kind in PLANTED:
            planted = plant(kind, photos, folder, options.each)
            found = check_folder(folder, cache_dir=Path(name) / "cache").of("hint")
            hinted = {path for finding in found if finding.kind == kind for path in finding.paths}
            print(row(kind, planted, hinted, options.each), flush=True)
            for path in planted:
                path.unlink()


if __name__ == "__main__":
    main()
