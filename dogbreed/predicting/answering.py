"""What a model says of photos, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from dogbreed.predicting.answer import Answer
from dogbreed.predicting.opening import OpenedBatch, opened_batches, usable_cores
from dogbreed.predictor import BreedPredictor


def answers(
    predictor: BreedPredictor, photos: Iterable[Path], *, top_k: int, batch_size: int
) -> Iterator[list[Answer]]:
    """The answers about each batch of photos in turn; a photo that cannot be read takes its place among them.

    No more than a few batches are held at once, however many photos there are.
    """
    preprocessing = predictor.artifact.preprocessing
    for batch in opened_batches(photos, preprocessing, batch_size=batch_size, threads=usable_cores()):
        yield list(_of_batch(predictor, batch, top_k))


def _of_batch(predictor: BreedPredictor, batch: OpenedBatch, top_k: int) -> Iterator[Answer]:
    found = iter(predictor.answers(batch.images, top_k) if len(batch.images) else ())
    for position, photo in enumerate(batch.photos):
        fault = batch.faults.get(position)
        yield Answer(photo, next(found)) if fault is None else Answer(photo, error=fault)
