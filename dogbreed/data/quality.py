"""Hints that a photo may teach the network little: dark, light, blank, blurred, oddly shaped or tiny.

The kinds, and the thresholds of `dark`, `light`, `blank` and `odd shape`, are those of CleanVision
(https://github.com/cleanlab/cleanvision). The measure of sharpness is the variance of the Laplacian
(Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000) over the variance of the brightness,
so that a photo of low contrast does not count as blurred.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

DARK = 0.32  # of full brightness, reached by the brightest hundredth of the pixels
LIGHT = 0.95  # of full brightness, exceeded by all but the darkest twentieth
BLANK = 3.0  # bits of entropy of the brightness
BLURRED = 0.015  # between photos as they come and the same photos under a Gaussian blur of 6 pixels
ODD_SHAPE = 0.35  # short side over long side
TINY = 64  # pixels on the short side: less than a third of what the usual backbones look at

# Blur is judged at about the size at which the network sees a photo: a camera's 12 million pixels are never sharp.
SIDE = 256


@dataclass(frozen=True)
class PixelStatistics:
    """What the hints need of the brightness: fractions of full brightness, bits, and a ratio of variances."""

    mean: float
    std: float
    percentile_5: float
    percentile_99: float
    entropy: float
    sharpness: float


def pixel_statistics(image: Image.Image) -> PixelStatistics:
    """Measure the brightness of an image, at a short side of at most `SIDE` pixels.

    >>> pixel_statistics(Image.new("RGB", (300, 200), "white")).mean
    1.0
    """
    grey = image.convert("L")
    brightness = (np.asarray(_shrunk(grey)) / 255).astype(np.float32)
    percentile_5, percentile_99 = np.percentile(brightness, (5, 99))
    return PixelStatistics(
        mean=float(brightness.mean()),
        std=float(brightness.std()),
        percentile_5=float(percentile_5),
        percentile_99=float(percentile_99),
        entropy=grey.entropy(),
        sharpness=_sharpness(brightness),
    )


def quality_hints(width: int, height: int, pixels: PixelStatistics) -> list[str]:
    """The names of the hints that a photo deserves, keys of `HINTS`.

    >>> quality_hints(1000, 200, pixel_statistics(Image.new("RGB", (1000, 200))))
    ['dark', 'blank', 'odd shape']
    """
    shape = min(width, height), max(width, height)
    found = [name for name, deserves in HINTS.items() if deserves(*shape, pixels)]
    # A blank photo has nothing in it that could be sharp.
    return [name for name in found if name != "blurred" or "blank" not in found]


HINTS: dict[str, Callable[[int, int, PixelStatistics], bool]] = {
    "dark": lambda _short, _long, pixels: pixels.percentile_99 < DARK,
    "light": lambda _short, _long, pixels: pixels.percentile_5 > LIGHT,
    "blank": lambda _short, _long, pixels: pixels.entropy < BLANK,
    "blurred": lambda _short, _long, pixels: pixels.sharpness < BLURRED,
    "odd shape": lambda short, long, _pixels: short < ODD_SHAPE * long,
    "tiny": lambda short, _long, _pixels: short < TINY,
}


def _shrunk(grey: Image.Image) -> Image.Image:
    scale = SIDE / min(grey.size)
    if scale >= 1:
        return grey
    return grey.resize((round(grey.width * scale), round(grey.height * scale)), Image.Resampling.BOX)


def _sharpness(brightness: npt.NDArray[np.float32]) -> float:
    centre = brightness[1:-1, 1:-1]
    if not centre.size:
        return 1.0
    sides = brightness[:-2, 1:-1] + brightness[2:, 1:-1] + brightness[1:-1, :-2] + brightness[1:-1, 2:]
    return float((4 * centre - sides).var() / max(float(brightness.var()), 1e-6))
