"""How many training images a core loads in a second, out of files and out of the store of prepared photos.

    python benchmarks/loading.py PHOTOS

PHOTOS is a folder of photos. Every side makes images of random crops (`data.augmentation=light`) with one thread: the
public method normalised float32 by Pillow and torchvision's first transforms, the others the bytes that are normalised
on the device, where that takes a batch at a time. The sides take turns, so that what else the machine does meets all.
Prints a table: the median over the rounds, the median of the ratios to the public method within a round, and the
lowest and highest of them.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms

from dogbreed.data.dataset import PhotoDataset
from dogbreed.data.folder import Split, photo_files
from dogbreed.data.prepared import open_prepared
from dogbreed.data.prepared_dataset import PreparedDataset
from dogbreed.data.transforms import Preprocessing, training_transform

Side = Callable[[int, int], Tensor]
AUGMENTATION, SCALE = "light", (0.7, 1.0)


def public_method(split: Split, preprocessing: Preprocessing) -> Side:
    """As published attempts at this job do it."""
    transform = transforms.Compose(
        [
            transforms.RandomResizedCrop(preprocessing.crop, scale=SCALE),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(preprocessing.mean, preprocessing.std),
        ]
    )

    def load(index: int, seed: int) -> Tensor:
        torch.manual_seed(seed)
        with Image.open(split.paths[index]) as photo:
            image: Tensor = transform(photo.convert("RGB"))
        return image

    return load


def sides(split: Split, preprocessing: Preprocessing, cache_dir: Path) -> dict[str, Side]:
    """Every way of loading a training image, by its name; the stores are filled."""
    transform = training_transform(preprocessing, AUGMENTATION)
    contents = [hashlib.sha256(path.read_bytes()).hexdigest() for path in split.paths]
    datasets: dict[str, PhotoDataset] = {"files": PhotoDataset(split, transform)}
    for form in ("raw", "JPEG"):
        prepared = open_prepared(cache_dir, preprocessing, form)
        began = time.monotonic()
        prepared.prepare(dict(zip(contents, split.paths, strict=True)))
        rate, taken = len(split) / (time.monotonic() - began), prepared.store.nbytes / len(split)
        print(f"Prepared as {form}: {rate:.0f} images/s on all cores, {taken / 1000:.0f} kB a photo.")
        datasets[f"prepared, {form}"] = PreparedDataset(split, transform, prepared, contents)

    def of(dataset: PhotoDataset) -> Side:
        return lambda index, seed: dataset[index, seed][0]

    public = {"public method: Pillow, float32": public_method(split, preprocessing)}
    return public | {name: of(dataset) for name, dataset in datasets.items()}


def rate(side: Side, count: int, seed: int) -> float:
    """Images a second of the processor's time."""
    began = time.process_time()
    for index in range(count):
        side(index, seed)
    return count / (time.process_time() - began)


def table(rates: dict[str, list[float]]) -> str:
    """A row for each side, in Markdown."""
    first = next(iter(rates.values()))
    lines = ["| | images/s and core | times the public method | lowest to highest |", "|---|---|---|---|"]
    for name, found in rates.items():
        ratios = [one / other for one, other in zip(found, first, strict=True)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        lines.append(f"| {name} | {median(found):,.0f} | {median(ratios):.2f} | {spread} |")
    return "\n".join(lines)


def main() -> None:
    """Fill the stores, let the sides take turns, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--most", type=int, default=200, help="photos looked at, drawn from all")
    parser.add_argument("--rounds", type=int, default=7, help="how often every side takes its turn")
    options = parser.parse_args()
    torch.set_num_threads(1)
    paths = sorted(photo_files(options.photos))
    paths = random.Random(0).sample(paths, min(options.most, len(paths)))
    split = Split(tuple(paths), (0,) * len(paths))
    with tempfile.TemporaryDirectory() as cache_dir:
        loaded = sides(split, Preprocessing(), Path(cache_dir))
        rates: dict[str, list[float]] = {name: [] for name in loaded}
        for seed in range(options.rounds):
            for name in random.Random(seed).sample(list(loaded), len(loaded)):
                rates[name].append(rate(loaded[name], len(split), seed))
    print(f"{len(split)} photos, {options.rounds} rounds\n\n{table(rates)}")


if __name__ == "__main__":
    main()
