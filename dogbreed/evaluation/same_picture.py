"""Whether two photos show the same picture, by their pixels: also mirrored, squashed, in other light, or a part of it.

The details of one picture, as those of the other, are freed of what is smooth and brought to one contrast everywhere,
and laid over the other at every place and size. That is normalised cross-correlation (Lewis, "Fast normalized
cross-correlation", 1995) of locally normalised pictures: a frame or a watermark that two pictures share counts no more
than its area.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from dogbreed.data.photos import decode, read

Array = npt.NDArray[np.floating]
Size = tuple[int, int]

SIDE = 64  # of what is kept of a photo, in pixels
GRID = 32  # of what is compared: a pixel is the precision of size and place
SMALLEST = 0.6  # share of a picture's sides that a part of it must have to be found
SMOOTH = 1.7  # standard deviation of the Gaussian that tells details from the rest, in pixels of the grid
FAINT = 4.0  # contrast in 256 steps of brightness below which details are noise
CHANCE = 0.06  # of a part many places are tried: the highest correlation of different pictures is so much higher
EMPTY = 0.1  # root mean square of normalised details below which there is nothing to compare


@dataclass(frozen=True)
class Thumbnail:
    """A photo in grey, squashed to `SIDE` by `SIDE` pixels, and its width over its height before."""

    pixels: npt.NDArray[np.uint8]
    aspect: float


def thumbnail(path: Path) -> Thumbnail:
    """What is compared of a photo.

    Raises:
        PhotoError: the photo cannot be read.
    """
    image = decode(read(path), smallest_side=2 * SIDE).image
    squashed = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return Thumbnail(np.asarray(squashed), image.width / image.height)


def correlation(first: Thumbnail, second: Thumbnail) -> tuple[float, bool]:
    """The highest correlation of two pictures, in [-1, 1], and whether one has to be mirrored for it.

    Either may be a part of the other, wherever and not smaller than `SMALLEST`, if neither was squashed; `CHANCE` is
    taken off for that.
    """
    plain, mirrored = np.maximum(_found_in(first, second), _found_in(second, first))
    return float(max(plain, mirrored)), bool(mirrored > plain)


def _found_in(whole: Thumbnail, part: Thumbnail) -> Array:
    """The highest correlations of `part`, as it is and mirrored, with any place of `whole`, at any size."""
    sizes = _sizes(round(part.aspect / whole.aspect, 2))
    areas, windows, inside = _places(sizes)
    image, parts = _details(whole, (GRID, GRID)), _parts(part, sizes)
    # By the convolution theorem; in the same way what lies under the part at each place is squared and added up.
    products = np.fft.irfft2(np.fft.rfft2(image) * np.fft.rfft2(parts).conj(), (GRID, GRID))
    squares = np.fft.irfft2(np.fft.rfft2(image**2) * windows, (GRID, GRID))
    least = areas * EMPTY**2
    norms = np.maximum(squares, least) * np.maximum((parts[0] ** 2).sum((1, 2), keepdims=True), least)
    correlations: Array = np.where(inside, products / np.sqrt(norms), -1)
    correlations[:, 1:] -= CHANCE
    return np.asarray(correlations.max((1, 2, 3)))


def _parts(picture: Thumbnail, sizes: tuple[Size, ...]) -> Array:
    """The details at each size, in the corner of an empty grid: those of the picture, then of its mirror image."""
    parts = np.zeros((2, len(sizes), GRID, GRID), dtype=np.float32)
    for number, (width, height) in enumerate(sizes):
        details = _details(picture, (width, height))
        parts[:, number, :height, :width] = details, details[:, ::-1]
    return parts


def _details(picture: Thumbnail, size: Size) -> Array:
    shrunk = _shrinking(size[1]) @ picture.pixels @ _shrinking(size[0]).T
    details = shrunk - _blurring(size[1]) @ shrunk @ _blurring(size[0]).T
    energy = _blurring(size[1]) @ details**2 @ _blurring(size[0]).T
    return np.asarray(details / np.sqrt(energy + FAINT**2), dtype=np.float32)


@functools.cache
def _sizes(aspect: float) -> tuple[Size, ...]:
    """What a part may measure on the grid, if its shape is `aspect` times as wide as that of the whole."""
    longer = [GRID - step for step in range(GRID) if (GRID - step) * min(aspect, 1 / aspect) >= SMALLEST * GRID]
    sizes = [(side, round(side / aspect)) if aspect >= 1 else (round(side * aspect), side) for side in longer]
    # The first is the whole: neither is a part, and one may have been squashed.
    return tuple(dict.fromkeys([(GRID, GRID), *sizes]))


@functools.cache
def _places(sizes: tuple[Size, ...]) -> tuple[Array, npt.NDArray[np.complexfloating], npt.NDArray[np.bool_]]:
    """For each size its area, the spectrum of its window, and the places at which it lies inside of the grid."""
    windows, inside = (np.zeros((len(sizes), GRID, GRID), dtype=np.float32) for _ in range(2))
    for number, (width, height) in enumerate(sizes):
        windows[number, :height, :width] = 1
        inside[number, : GRID - height + 1, : GRID - width + 1] = 1
    return windows.sum((1, 2), keepdims=True), np.fft.rfft2(windows).conj(), inside > 0


@functools.cache
def _shrinking(size: int) -> Array:
    """The matrix that takes `SIDE` pixels to `size`, each the mean of what it covers."""
    edges, pixels = np.arange(size + 1)[:, None] * SIDE / size, np.arange(SIDE)
    covered = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return np.asarray(covered.clip(0) * size / SIDE, dtype=np.float32)


@functools.cache
def _blurring(size: int) -> Array:
    """The matrix that blurs `size` pixels."""
    distances = np.subtract.outer(np.arange(size), np.arange(size))
    weights = np.exp(-0.5 * (distances / SMOOTH) ** 2)
    return np.asarray(weights / weights.sum(1, keepdims=True), dtype=np.float32)
