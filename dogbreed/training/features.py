"""The features of a run: each photo is looked at once, and what the frozen part says of it is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch
from pytorch_lightning import Trainer

from dogbreed.caching.budget import make_room
from dogbreed.caching.layout import cache_folder
from dogbreed.caching.sizes import size
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.photo_views import PhotoView
from dogbreed.errors import CacheError, ConfigError, DataError
from dogbreed.features.choice import feature_candidates, first_that_agrees, sample
from dogbreed.features.frozen_features import FrozenFeatures
from dogbreed.models.classifier import BreedClassifier
from dogbreed.models.cut import Cut, cut
from dogbreed.models.forward_paths import EXACT, path_name
from dogbreed.training.feature_plan import obstacle, wants_features
from dogbreed.training.precision import MIXED
from dogbreed.training.resuming import stopping


class NotKeptError(Exception):
    """Why the photos have to be looked at in every epoch."""


@contextmanager
def training_on_features(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> Iterator[None]:
    """Within the block the module is given features in place of photos, where they can be kept.

    Raises:
        DataError: as `prepare_features`.
    """
    features = prepare_features(trainer, module, data)
    with module.network.taking_features(features.cut.upper) if features else nullcontext():
        yield


def prepare_features(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> FrozenFeatures | None:
    """Look at the training and validation photos, once, where that spares looking at them in every epoch.

    `data.features` are this module's then, and None where there are none. What is done, or why it is not, is printed.

    Raises:
        ConfigError: the module's way of computing a frozen part is unknown, or its library is missing.
        DataError: a photo can no longer be read.
    """
    # What another module has left there says nothing of this one.
    data.features = features = None
    if wants_features(module):
        try:
            data.features = features = _prepared(trainer, module, data)
        except (NotKeptError, CacheError, OSError) as reason:
            _say(f"not kept, every epoch looks at the photos again. {reason}")
    return features


def _say(line: str) -> None:
    print(f"Features: {line}", flush=True)


def _prepared(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> FrozenFeatures:
    parts = _parts(trainer, module, data)
    views = [*data.wanted_views("train"), *data.wanted_views("val")]
    candidates = _candidates(parts, trainer, module, data)
    features = next((known for known in candidates if not known.missing(views)), None)
    if features:
        _say(f"all {len(views):,} are known already ({features.store.folder}).")
        return features
    features = first_that_agrees(candidates, views, _say)
    _make_room(features, views, data)
    missing, computed = features.missing(views), path_name(features.path, features.device)
    _say(f"looking once at {missing:,} photos {_ways(data)} ({computed}).")
    began = time.monotonic()
    features.look(views, "train and val")
    features.release()
    if features.faults:
        raise DataError(next(iter(features.faults.values())))
    seconds, taken = time.monotonic() - began, size(features.store.nbytes)
    _say(f"took {seconds:.1f} s, {missing / seconds:.1f} images/s; {taken} in {features.store.folder}.")
    return features


def _parts(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> Cut:
    if reason := obstacle(trainer, data):
        raise NotKeptError(reason)
    try:
        return cut(module.network.to(trainer.strategy.root_device), module.hparams["frozen"])
    except ConfigError as error:
        raise NotKeptError(str(error)) from error


def _candidates(
    parts: Cut, trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule
) -> list[FrozenFeatures]:
    """As `feature_candidates`, with what this run brings."""
    hparams = module.hparams
    candidates = feature_candidates(
        parts,
        module.preprocessing,
        device=trainer.strategy.root_device,
        cache_dir=cache_folder(str(data.cache_dir or "")),
        frozen_forward=hparams["frozen_forward"],
        mixed_precision=str(trainer.precision) in MIXED,
        photos=sum(len(split) for split in data.folder.splits.values()) * (data.views or 1),
        about={"what": "features", "backbone": hparams["backbone"], "frozen": hparams["frozen"]},
    )
    for features in candidates:
        features.num_workers, features.before_batch = data.num_workers, stopping(trainer)
        # A layer's activations are large, and are computed in bfloat16 anyway where that is what computes.
        if hparams["frozen"] is not True and features.path not in EXACT:
            features.dtype = torch.bfloat16
    return candidates


def _make_room(features: FrozenFeatures, views: Sequence[PhotoView], data: DogBreedDataModule) -> None:
    _, activations = sample(views[:1], features)
    needed = features.missing(views) * activations[0].numel() * features.dtype.itemsize
    folder, limit = features.store.folder, int(data.cache_gib * 2**30)
    if reason := make_room(folder.parent.parent, needed, limit_bytes=limit, keep=folder):
        raise NotKeptError(reason)


def _ways(data: DogBreedDataModule) -> str:
    if data.views is not None:
        return f"in {data.views} views ({data.augmentation})"
    more = "; data.views=4 for augmented views" if data.augmentation != "none" else ""
    return f"as evaluation sees them{more}"
