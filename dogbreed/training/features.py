"""The features of a run: each photo is looked at once, and what the frozen part says of it is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch
from pytorch_lightning import Trainer
from torch import Tensor

from dogbreed.caching.budget import make_room
from dogbreed.caching.layout import cache_folder, rows_folder
from dogbreed.caching.rows import RowStore
from dogbreed.caching.sizes import size
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.photo_views import PhotoView, ViewDataset, collated
from dogbreed.data.transforms import normalise
from dogbreed.errors import CacheError, ConfigError, DataError
from dogbreed.features.frozen_features import FrozenFeatures
from dogbreed.features.space import feature_space
from dogbreed.models.classifier import BreedClassifier
from dogbreed.models.cut import cut
from dogbreed.models.forward_paths import choose_exact_path, choose_path, path_name, relative_error
from dogbreed.training.feature_plan import obstacle, wants_features
from dogbreed.training.precision import MIXED
from dogbreed.training.resuming import Resuming

TOLERANCE = 0.25  # of the features of a photo, as a share of their length: bfloat16 is up to 0.17 off, what is broken 1
SAMPLE = 8  # photos on which that is tried


@contextmanager
def training_on_features(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> Iterator[None]:
    """Within the block the module is given features in place of photos, where they can be kept.

    Raises:
        DataError: as `prepare_features`.
    """
    features = prepare_features(trainer, module, data)
    with module.taking_features(features.cut.upper) if features else nullcontext():
        yield


def prepare_features(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> FrozenFeatures | None:
    """Look at the training and validation photos, once, where that spares looking at them in every epoch.

    What is done, or why it is not, is printed. A second call finds what the first has left in `data.features`.

    Raises:
        DataError: a photo can no longer be read.
    """
    if data.features is None and wants_features(module):
        try:
            data.features = _prepared(trainer, module, data)
        except (CacheError, ConfigError, OSError) as reason:
            print(f"Features: not kept, every epoch looks at the photos again. {reason}", flush=True)
    return data.features if isinstance(data.features, FrozenFeatures) else None


def _prepared(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> FrozenFeatures:
    if reason := obstacle(trainer, data):
        raise ConfigError(reason)
    views = [*data.wanted_views("train"), *data.wanted_views("val")]
    features = _chosen(list(_candidates(trainer, module, data)), views, data)
    missing = features.missing(views)
    print(_announcement(features, len(views), missing, data), flush=True)
    began = time.monotonic()
    features.look(views, "train and val")
    if features.faults:
        raise DataError(next(iter(features.faults.values())))
    if missing:
        seconds = time.monotonic() - began
        rate, taken = missing / seconds, size(features.store.nbytes)
        print(f"Features: took {seconds:.1f} s, {rate:.1f} images/s; {taken} in {features.store.folder}.", flush=True)
    return features


def _candidates(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> Iterator[FrozenFeatures]:
    """Features computed in the fastest way that is allowed, and in the exact one."""
    device, chosen = trainer.strategy.root_device, module.hparams["frozen_forward"]
    mixed = str(trainer.precision) in MIXED
    exact = choose_exact_path(device)
    if chosen == "auto":
        chosen = choose_path(device) if mixed else exact
    parts = cut(module.network.to(device), module.hparams["frozen"])
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    stop = next((c.interruption.stop_if_asked for c in callbacks if isinstance(c, Resuming)), lambda: None)
    folder = rows_folder(cache_folder(str(data.cache_dir or "")))
    for path in dict.fromkeys([chosen, exact]):
        computed = path_name(path, device)
        space = feature_space(parts.lower, module.preprocessing, computed=computed)
        about = {"what": "features", "backbone": module.hparams["backbone"], "frozen": module.hparams["frozen"]}
        yield FrozenFeatures(
            cut=parts,
            store=RowStore(folder / f"features-{space}", about | {"computed": computed}),
            path=path,
            preprocessing=module.preprocessing,
            device=device,
            # A layer's activations are large, and are computed in bfloat16 anyway where that is what computes.
            dtype=torch.float32 if module.hparams["frozen"] is True or path.endswith("float32") else torch.bfloat16,
            num_workers=data.num_workers,
            before_batch=stop,
        )


def _chosen(
    candidates: Sequence[FrozenFeatures], views: Sequence[PhotoView], data: DogBreedDataModule
) -> FrozenFeatures:
    """The first that is known already or agrees with the last, which is exact; with room for it."""
    *fast, exact = candidates
    for features in fast:
        features.exact = exact
    known = next((features for features in candidates if not features.missing(views)), None)
    if known:
        return known
    images = _sample(views[:SAMPLE], exact)
    chosen = next((features for features in fast if _agrees(features, exact, images)), exact)
    row_bytes = exact.forward(images)[0].numel() * chosen.dtype.itemsize
    if reason := _no_room(chosen, chosen.missing(views) * row_bytes, data):
        raise ConfigError(reason)
    return chosen


def _agrees(features: FrozenFeatures, exact: FrozenFeatures, images: Tensor) -> bool:
    error = relative_error(features.forward(images), exact.forward(images))
    if error > TOLERANCE:
        print(f"Features: {features.path} is {error:.1%} off for this backbone; {exact.path} computes.", flush=True)
    return error <= TOLERANCE


def _sample(views: Sequence[PhotoView], features: FrozenFeatures) -> Tensor:
    photos = ViewDataset(views, features.preprocessing)
    _, images, faults = collated([photos[position] for position in range(len(photos))])
    if faults:
        raise DataError(next(iter(faults.values())))
    return normalise(images.to(features.device), features.preprocessing)


def _no_room(features: FrozenFeatures, needed: int, data: DogBreedDataModule) -> str | None:
    folder = features.store.folder
    return make_room(folder.parent.parent, needed, limit_bytes=int(data.cache_gib * 2**30), keep=folder)


def _announcement(features: FrozenFeatures, total: int, missing: int, data: DogBreedDataModule) -> str:
    if not missing:
        return f"Features: all {total:,} are known from earlier runs ({features.store.folder})."
    ways = "as evaluation sees them" if data.views is None else f"in {data.views} views ({data.augmentation})"
    more = "; data.views=4 for augmented views" if data.views is None and data.augmentation != "none" else ""
    return f"Features: looking once at {missing:,} photos {ways}{more} ({path_name(features.path, features.device)})."
