"""Peak memory and the number of photos: `python benchmarks/memory.py train --photos 1000 30000`.

The photos are drawn (96 x 96 pixels, 10 classes, all different), and seen at 64 pixels: what grows with their number
would grow just so with larger ones. `evaluate` judges a ResNet-18 of random weights on them, `train` trains the head
of a ResNet-50, two epochs in batches of 64, on features that it computes first. Prints a row a size.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np

from dogbreed.artifacts import save_artifact
from dogbreed.data.randomness import derived_seed
from dogbreed.data.sample import BREEDS, draw_photo
from dogbreed.models.network import build_network

ARCHITECTURE: dict[str, Any] = {"num_classes": len(BREEDS), "backbone": "resnet18", "image_size": 64}


def draw(job: tuple[Path, int, int]) -> None:
    """One photo of one class."""
    folder, number, index = job
    generator = np.random.default_rng(derived_seed("memory", folder.name, number, index))
    draw_photo(BREEDS[number], generator).save(folder / BREEDS[number].name / f"{index}.jpg", quality=90)


def draw_folder(folder: Path, photos: int) -> None:
    """A folder a class, of so many photos."""
    for breed in BREEDS:
        (folder / breed.name).mkdir(parents=True)
    with Pool() as pool:
        jobs = [(folder, index % len(BREEDS), index // len(BREEDS)) for index in range(photos)]
        pool.map(draw, jobs, chunksize=100)


def evaluation(root: Path, photos: int) -> list[str]:
    """The arguments of Python that judge a model on so many photos."""
    draw_folder(root / "photos" / "test", photos)
    names = [breed.name for breed in BREEDS]
    save_artifact(root / "model", build_network(**ARCHITECTURE), architecture=ARCHITECTURE, class_names=names)
    return ["-m", "dogbreed.evaluate", f"model={root}/model", f"data.root={root}/photos"]


def training(root: Path, photos: int) -> list[str]:
    """The arguments of Python that train a head on so many photos."""
    for split, count in {"train": photos, "valid": 200, "test": 200}.items():
        draw_folder(root / "photos" / split, count)
    model = ["model.backbone=resnet50", "model.weights=null", "model.image_size=64"]
    run = ["trainer.max_epochs=2", "data.batch_size=64", "evaluation.duplicates=false", f"data.root={root}/photos"]
    return ["-m", "dogbreed.train", *model, *run]


COMMANDS = {"evaluate": evaluation, "train": training}


def main() -> None:
    """Draw, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--photos", type=int, nargs="+", default=[3000, 30000])
    options = parser.parse_args()
    print("| photos | peak MiB of the largest process | seconds |\n|---|---|---|")
    for photos in options.photos:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            arguments = [*COMMANDS[options.command](root, photos), f"paths.output_dir={root}/out"]
            environment = {**os.environ, "DOGBREED_CACHE": f"{root}/cache"}
            began = time.monotonic()
            process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - began
            if status or not (root / "out" / "metrics.json").exists():
                raise SystemExit(f"{options.command} ended with status {status}")
        print(f"| {photos:,} | {usage.ru_maxrss / 1024:.0f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
