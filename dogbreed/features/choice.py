"""Which way of computing a frozen part is taken: the fastest that agrees with 32 bits, where it is worth its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from dogbreed.caching.layout import rows_folder
from dogbreed.caching.rows import RowStore
from dogbreed.data.photo_views import PhotoView, ViewDataset, collated
from dogbreed.data.transforms import Preprocessing, normalise
from dogbreed.errors import ConfigError, DataError
from dogbreed.features.frozen_features import FrozenFeatures
from dogbreed.features.space import feature_space
from dogbreed.models.cut import Cut
from dogbreed.models.forward_paths import EXACT, choose_path, path_name, relative_error
from dogbreed.models.tracing import mode

TOLERANCE = 0.25  # of the features of a photo, as a share of their length: bfloat16 is up to 0.17 off, what is broken 1
SAMPLE = 8  # photos on which that is tried
REPAID = 1000  # photos to look at from which on OpenVINO repays the seconds in which it reads a network


def feature_candidates(
    parts: Cut,
    preprocessing: Preprocessing,
    *,
    device: torch.device,
    cache_dir: Path,
    frozen_forward: str,
    mixed_precision: bool,
    photos: int,
    about: dict[str, object],
) -> list[FrozenFeatures]:
    """The ways to compute features, the one to try first before the others; the last is exact.

    Args:
        parts: the network.
        preprocessing: of its photos.
        device: that computes.
        cache_dir: the cache folder.
        frozen_forward: a key of `PATHS`, or "auto".
        mixed_precision: whether "auto" may choose less than 32 bits.
        photos: how many will be looked at.
        about: what is said of the stores.

    Raises:
        ConfigError: an unknown path, or its library is missing.
    """
    long = photos >= REPAID
    automatic = [choose_path(device, mixed_precision=mixed_precision, long=wanted) for wanted in (long, False)]
    chosen = automatic if frozen_forward == "auto" else [frozen_forward]
    exact = next((path for path in chosen if path in EXACT), choose_path(device, mixed_precision=False, long=long))

    def features(path: str) -> FrozenFeatures:
        # What is exact is so in every way of computing it.
        computed = path_name("float32" if path in EXACT else path, device)
        space = feature_space(parts.lower, preprocessing, computed=computed)
        store = RowStore(rows_folder(cache_dir) / f"features-{space}", about | {"computed": computed})
        return FrozenFeatures(parts, store, path, preprocessing, device)

    last = features(exact)
    return [*(replace(features(path), exact=last) for path in dict.fromkeys(chosen) if path not in EXACT), last]


def first_that_agrees(
    candidates: Sequence[FrozenFeatures], views: Sequence[PhotoView], say: Callable[[str], None]
) -> FrozenFeatures:
    """The first of the candidates that gives what 32 bits give of a few of the photos; the last is not tried.

    Raises:
        DataError: a photo cannot be read.
    """
    *fast, exact = candidates
    if not fast:
        return exact
    images, expected = sample(views[:SAMPLE], exact)
    return next((features for features in fast if _agrees(features, images, expected, say)), exact)


def sample(views: Sequence[PhotoView], features: FrozenFeatures) -> tuple[Tensor, Tensor]:
    """Photos as normalised images, and what the frozen part says of them in 32 bits.

    Raises:
        DataError: a photo cannot be read.
    """
    photos, lower = ViewDataset(views, features.preprocessing), features.cut.lower
    _, images, faults = collated([photos[position] for position in range(len(photos))])
    if faults:
        raise DataError(next(iter(faults.values())))
    images = normalise(images.to(features.device), features.preprocessing)
    with mode(lower, False), torch.inference_mode():
        return images, lower(images)


def _agrees(features: FrozenFeatures, images: Tensor, expected: Tensor, say: Callable[[str], None]) -> bool:
    try:
        error = relative_error(features.forward(images), expected)
    except ConfigError as reason:
        say(f"{features.path} cannot be used. {reason}")
        return False
    if error > TOLERANCE:
        say(f"{features.path} is {error:.0%} off for this backbone and is not used.")
    return error <= TOLERANCE
