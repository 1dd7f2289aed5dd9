"""Hints that a photo may teach the network little: dark, light, blank, blurred, grey, of an odd shape or size, tiny.

The kinds, and the thresholds of `dark`, `blank`, `odd shape` and `odd size`, are those of CleanVision
(https://github.com/cleanlab/cleanvision). Its threshold of `light`, 0.95, misses most photos in which hardly anything
can be made out; of 2,700 ordinary photos none came above 0.61. The measure of sharpness is the variance of the
Laplacian (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000) over the variance of the
brightness, so that a photo of low contrast does not count as blurred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

DARK = 0.32  # of full brightness, reached by the brightest hundredth of the pixels
LIGHT = 0.85  # of full brightness, exceeded by all but the darkest twentieth
BLANK = 3.0  # bits of entropy of the brightness
BLURRED = 0.015  # between photos as they come and the same photos under a Gaussian blur of 6 pixels
GREY = 0.02  # of full brightness between the channels, exceeded by the most colourful hundredth of the pixels
ODD_SHAPE = 0.35  # short side over long side
TINY = 64  # pixels on the short side: less than a third of what the usual backbones look at

# Sizes so many times the range of the middle half beyond it are odd. That range counts as a fifth of the median at
# least: where most photos have one size, another that is a little wider is nothing odd.
ODD_SIZE, LEAST_RANGE = 3.0, 0.2
FEW_SIZES = 30  # below which quartiles say nothing

# Blur is judged at about the size at which the network sees a photo: a camera's 12 million pixels are never sharp.
SIDE = 256
LEVELS = np.arange(256) / 255
LEAST_VARIANCE = 0.065  # of the brightness in levels: what is flatter than a quarter of a level has no sharpness
# Colour is judged at a size at which the noise of cameras and of JPEG has mostly gone.
COLOUR_SIDE = 64


@dataclass(frozen=True)
class PixelStatistics:
    """What the hints need of the pixels: fractions of full brightness, bits, and a ratio of variances.

    `colour` is what the channels differ by in all but the most colourful hundredth of the pixels.
    """

    mean: float
    std: float
    percentile_5: float
    percentile_99: float
    entropy: float
    sharpness: float
    colour: float


def pixel_statistics(image: Image.Image) -> PixelStatistics:
    """Measure the pixels of an RGB image, at a short side of at most `SIDE` pixels.

    >>> pixel_statistics(Image.new("RGB", (300, 200), "white")).mean
    1.0
    """
    grey = image.convert("L")
    shrunk = _shrunk(grey, SIDE)
    counts = np.array(shrunk.histogram())
    mean = np.average(LEVELS, weights=counts)
    return PixelStatistics(
        mean=float(mean),
        std=float(np.average((LEVELS - mean) ** 2, weights=counts) ** 0.5),
        percentile_5=_percentile(counts, 5),
        percentile_99=_percentile(counts, 99),
        entropy=grey.entropy(),
        sharpness=_sharpness(np.asarray(shrunk, dtype=np.int16)),
        colour=_colour(image),
    )


def quality_hints(width: int, height: int, pixels: PixelStatistics) -> list[str]:
    """The names of the hints that a photo deserves, keys of `HINTS`.

    >>> quality_hints(1000, 200, pixel_statistics(Image.new("RGB", (1000, 200))))
    ['dark', 'blank', 'odd shape']
    """
    shape = min(width, height), max(width, height)
    found = [name for name, deserves in HINTS.items() if deserves(*shape, pixels)]
    return [name for name in found if not HIDDEN_BY.get(name, set()) & set(found)]


HINTS: dict[str, Callable[[int, int, PixelStatistics], bool]] = {
    "dark": lambda _short, _long, pixels: pixels.percentile_99 < DARK,
    "light": lambda _short, _long, pixels: pixels.percentile_5 > LIGHT,
    "blank": lambda _short, _long, pixels: pixels.entropy < BLANK,
    "blurred": lambda _short, _long, pixels: pixels.sharpness < BLURRED,
    "grey": lambda _short, _long, pixels: pixels.colour < GREY,
    "odd shape": lambda short, long, _pixels: short < ODD_SHAPE * long,
    "tiny": lambda short, _long, _pixels: short < TINY,
}
# A blank photo has nothing in it that could be sharp, and where there is hardly any light there is hardly any colour.
HIDDEN_BY = {"blurred": {"blank"}, "grey": {"blank", "dark", "light"}}


def usual_sizes(sizes: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """The bounds of the square root of width times height, in pixels, outside of which a photo's size is odd.

    >>> usual_sizes([(400, 400)] * 29 + [(60, 45)])
    (160.0, 640.0)
    """
    if len(sizes) < FEW_SIZES:
        return 0.0, np.inf
    lower, median, upper = np.percentile(np.sqrt(np.prod(np.asarray(sizes, dtype=np.float64), axis=1)), (25, 50, 75))
    beyond = ODD_SIZE * max(upper - lower, LEAST_RANGE * median)
    return float(lower - beyond), float(upper + beyond)


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    scale = side / min(image.size)
    if scale >= 1:
        return image
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BOX)


def _percentile(counts: npt.NDArray[np.int_], percent: float) -> float:
    """As `np.percentile` of the pixels, of which the histogram tells as much in a tenth of the time."""
    place, ends = percent / 100 * (counts.sum() - 1), counts.cumsum()
    below, above = LEVELS[np.searchsorted(ends, (np.floor(place), np.ceil(place)), side="right")]
    return float(below + (above - below) * (place % 1))


def _colour(image: Image.Image) -> float:
    channels = [np.asarray(channel) for channel in _shrunk(image, COLOUR_SIDE).split()]
    spread = np.maximum.reduce(channels) - np.minimum.reduce(channels)
    return _percentile(np.bincount(spread.ravel(), minlength=len(LEVELS)), 99)


def _sharpness(brightness: npt.NDArray[np.int16]) -> float:
    centre = brightness[1:-1, 1:-1]
    if not centre.size:
        return 1.0
    sides = brightness[:-2, 1:-1] + brightness[2:, 1:-1] + brightness[1:-1, :-2] + brightness[1:-1, 2:]
    return _variance(4 * centre - sides) / max(_variance(brightness), LEAST_VARIANCE)


def _variance(values: npt.NDArray[np.int16]) -> float:
    """As `np.var`: that of whole numbers takes three times as long."""
    deviations = values.astype(np.float32) - np.float32(values.mean())
    return float(np.vdot(deviations, deviations)) / values.size
