"""The prepared photos of a run whose photos pass through the network in every epoch: each is decoded once, and kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from pytorch_lightning import Trainer

from dogbreed.caching.budget import make_room
from dogbreed.caching.layout import cache_folder
from dogbreed.caching.sizes import size
from dogbreed.data.datamodule import DogBreedDataModule
from dogbreed.data.prepared import PreparedPhotos, open_prepared
from dogbreed.data.prepared_rows import FORMS
from dogbreed.errors import CacheError, ConfigError
from dogbreed.models.classifier import BreedClassifier
from dogbreed.training.feature_plan import looks
from dogbreed.training.resuming import stopping

FEWEST_LOOKS = 4  # at each photo, from which on it pays to prepare them without being asked
SAMPLE = 32  # photos from which the size of all rows is estimated


def prepare_photos(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> None:
    """Prepare the training and validation photos in `data.prepared`, where that spares decoding them in every epoch.

    What is done, or why it is not, is printed, but not that a run is too short for it.
    """
    if not wants_prepared(trainer, module, data):
        data.prepared = None
    elif data.prepared is None or not data.prepared.serves(module.preprocessing):
        try:
            data.prepared = _prepared(trainer, module, data)
        except (CacheError, ConfigError, OSError) as reason:
            data.prepared = None
            print(f"Photos: not prepared, every epoch opens their files. {reason}", flush=True)


def wants_prepared(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> bool:
    """Whether the run looks at photos, not at features of them, and is asked to prepare them, or it pays."""
    if module.takes_features:
        return False
    return looks(trainer, data) >= FEWEST_LOOKS if data.prepare is None else data.prepare


def _prepared(trainer: Trainer, module: BreedClassifier, data: DogBreedDataModule) -> PreparedPhotos:
    paths = {data.checked.contents[p]: p for split in ("train", "val") for p in data.folder.splits[split].paths}
    prepared = _chosen(paths, module, data)
    missing = len(prepared.store.missing(paths))
    print(_announcement(prepared, len(paths), missing), flush=True)
    began = time.monotonic()
    prepared.prepare(paths, before_photo=stopping(trainer))
    if missing:
        seconds = time.monotonic() - began
        rate, taken = missing / seconds, size(prepared.store.nbytes)
        print(f"Photos: took {seconds:.1f} s, {rate:.1f} images/s; {taken} in {prepared.store.folder}.", flush=True)
    return prepared


def _chosen(paths: Mapping[str, Path], module: BreedClassifier, data: DogBreedDataModule) -> PreparedPhotos:
    """The first form in which all photos are known already, else the first that there is room for."""
    cache_dir = cache_folder(str(data.cache_dir or ""))
    candidates = [open_prepared(cache_dir, module.preprocessing, form) for form in FORMS]
    known = next((prepared for prepared in candidates if not prepared.store.missing(paths)), None)
    if known:
        return known
    for prepared in candidates:
        needed = _needed(prepared, paths)
        reason = make_room(cache_dir, needed, limit_bytes=int(data.cache_gib * 2**30), keep=prepared.store.folder)
        if reason is None:
            return prepared
    raise ConfigError(str(reason))


def _needed(prepared: PreparedPhotos, paths: Mapping[str, Path]) -> int:
    """About how many bytes the missing photos will take."""
    missing = prepared.store.missing(paths)
    sample = missing[:: -(-len(missing) // SAMPLE)]
    rows = [prepared.row(content, paths[content]) for content in sample]
    return int(len(missing) * fmean(0 if row is None else row.nbytes for row in rows))


def _announcement(prepared: PreparedPhotos, total: int, missing: int) -> str:
    if not missing:
        return f"Photos: all {total:,} are prepared, from earlier runs ({prepared.store.folder})."
    side, form = prepared.preprocessing.resize, prepared.form
    return f"Photos: decoding {missing:,} once, for every epoch: {side} pixels the shorter side, {form}."
