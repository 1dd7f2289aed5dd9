"""How fast photos become tensors: on one core, and by the processes that a run has for it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import torch
from PIL import Image
from torch.utils.data import DataLoader

from dogbreed.benchmarking.public_process import PublicProcess
from dogbreed.benchmarking.rounds import Side, in_turn, on_one_core, rate
from dogbreed.benchmarking.setting import Setting
from dogbreed.benchmarking.stage import FLOOR, OURS, PUBLIC, RATE, Stage
from dogbreed.data.dataset import PhotoDataset
from dogbreed.data.loading import loader_settings
from dogbreed.data.order import photo_seed
from dogbreed.data.transforms import training_transform

ONE_CORE = "loading, one core"
BY_WORKERS = "loading, as a run does"


def loading(setting: Setting, public: PublicProcess) -> tuple[Stage, Stage]:
    """Photos a second with the augmentation of the data module, on one core and by its workers.

    The public method loads in one process both times. The floor of several workers is that of one core as many times.
    """
    dataset = PhotoDataset(setting.photos, training_transform(setting.module.preprocessing, setting.data.augmentation))
    places = endless(len(dataset))
    workers = setting.data.num_workers
    sides = {
        OURS: on_one_core(rate(lambda: dataset[next(places)], 1, torch.device("cpu"))),
        BY_WORKERS: _by_workers(dataset, setting),
        FLOOR: _decoding(setting),
        PUBLIC: public.side("loading"),
    }
    found = in_turn(sides, setting.seconds)
    alone = {side: found[side] for side in (OURS, FLOOR, PUBLIC)}
    floor = tuple(max(1, workers) * sample for sample in found[FLOOR])
    return (
        Stage(ONE_CORE, RATE, alone, "decoding the same files, nothing else"),
        Stage(
            BY_WORKERS,
            RATE,
            {OURS: found[BY_WORKERS], FLOOR: floor, PUBLIC: found[PUBLIC]},
            f"decoding alone, by {max(1, workers)} processes that do not disturb each other",
        ),
    )


def endless(size: int) -> Iterator[tuple[int, int]]:
    """Items of a `PhotoDataset`, one photo after the other, every time in another view."""
    for turn in itertools.count():
        yield from ((index, photo_seed(0, turn, index)) for index in range(size))


def _decoding(setting: Setting) -> Side:
    photos = itertools.cycle(setting.photos.paths)

    def decode() -> None:
        with Image.open(next(photos)) as photo:
            photo.load()

    return rate(decode, 1, torch.device("cpu"))


def _by_workers(dataset: PhotoDataset, setting: Setting) -> Side:
    batch_size, workers = setting.data.batch_size, setting.data.num_workers

    def measured(seconds: float) -> list[float]:
        settings = loader_settings(batch_size, workers, setting.data.seed)
        batches = iter(DataLoader(dataset, sampler=endless(len(dataset)), **settings))
        # Every worker has given its first: all are at work.
        for _ in range(max(1, workers)):
            next(batches)
        done, began = 0, time.perf_counter()
        while not done or time.perf_counter() - began < seconds:
            next(batches)
            done += batch_size
        return [done / (time.perf_counter() - began)]

    return measured
