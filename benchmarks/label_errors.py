"""How many labels that were made wrong on purpose stand first among the report's likely label errors.

    python benchmarks/label_errors.py PHOTOS WEIGHTS

PHOTOS is a folder with train/, valid/ and test/; WEIGHTS a state dict of torchvision's mobilenet_v2. Some photos of
valid and test are moved to the folder of another class, in a copy made of links; a run with a frozen backbone follows,
and its `label_errors.csv` is read from the top.
"""

from __future__ import annotations

import argparse
import csv
import random
import subprocess
import sys
import tempfile
from pathlib import Path

HELD_OUT = ("valid", "test")


def planted(photos: Path, folder: Path, count: int, seed: int) -> set[str]:
    """Link the photos into `folder`, `count` held-out ones below a wrong class; their names there."""
    draw, files = random.Random(seed), sorted(photos.glob("*/*/*"))
    held_out = [path for path in files if path.parent.parent.name in HELD_OUT]
    wrong, classes = set(draw.sample(held_out, count)), sorted({path.parent.name for path in files})
    names = set()
    for path in files:
        label = draw.choice([name for name in classes if name != path.parent.name]) if path in wrong else None
        place = folder / path.parent.parent.name / (label or path.parent.name) / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path.resolve())
        if label:
            names.add(place.relative_to(folder).as_posix())
    return names


def main() -> None:
    """Plant, train, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("weights")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wrong = planted(options.photos, folder / "photos", options.count, options.seed)
        command = [
            sys.executable,
            "-m",
            "dogbreed.train",
            f"data.root={folder}/photos",
            f"trainer.max_epochs={options.epochs}",
        ]
        command += ["model.backbone=mobilenet_v2", f"model.weights={options.weights}", f"paths.output_dir={folder}/run"]
        subprocess.run([*command, f"paths.cache_dir={folder}/cache"], check=True, stdout=subprocess.DEVNULL)
        with (folder / "run" / "label_errors.csv").open(newline="") as file:
            files = [row["file"] for row in csv.DictReader(file)]
    print("| first so many of the list | of the planted |\n|---|---|")
    for first in (50, 100, 150, len(files)):
        print(f"| {first} | {len(wrong.intersection(files[:first]))} of {len(wrong)} |")


if __name__ == "__main__":
    main()
