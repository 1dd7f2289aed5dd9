"""Peak memory of `python -m dogbreed.evaluate` on many photos: `python benchmarks/evaluation_memory.py --photos 30000`.

The photos are drawn (96 x 96 pixels, 10 classes, all different), the model is a ResNet-18 of random weights that sees
them at 64 pixels: what grows with the number of photos would grow just so with larger ones. Prints a row a size.
"""

from __future__ import annotations

import argparse
import json
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
    root, number, index = job
    generator = np.random.default_rng(derived_seed("memory", number, index))
    draw_photo(BREEDS[number], generator).save(root / "test" / BREEDS[number].name / f"{index}.jpg", quality=90)


def draw_folder(root: Path, photos: int) -> None:
    """A test folder of so many photos."""
    for breed in BREEDS:
        (root / "test" / breed.name).mkdir(parents=True)
    with Pool() as pool:
        jobs = [(root, index % len(BREEDS), index // len(BREEDS)) for index in range(photos)]
        pool.map(draw, jobs, chunksize=100)


def main() -> None:
    """Draw, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, nargs="+", default=[3000, 30000])
    print("| photos | peak MiB of the largest process | seconds |\n|---|---|---|")
    for photos in parser.parse_args().photos:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            draw_folder(root / "photos", photos)
            names = [breed.name for breed in BREEDS]
            save_artifact(root / "model", build_network(**ARCHITECTURE), architecture=ARCHITECTURE, class_names=names)
            arguments = [f"model={root}/model", f"data.root={root}/photos", f"paths.output_dir={root}/out"]
            began = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "dogbreed.evaluate", *arguments],
                stdout=subprocess.DEVNULL,
                env={**os.environ, "DOGBREED_CACHE": f"{root}/cache"},
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - began
            if status or json.loads((root / "out" / "metrics.json").read_text())["judged"]["photos"] != photos:
                raise SystemExit(f"evaluate ended with status {status}")
        print(f"| {photos:,} | {usage.ru_maxrss / 1024:.0f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
