"""Whether the peak memory of training grows with the number of photos.

    python benchmarks/peak_memory.py PHOTOS WEIGHTS

Trains one frozen epoch on the photos of a folder once, and on four links to each of them; prints both peaks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from compare_training import timed


def copies(photos: Path, folder: Path, times: int) -> Path:
    """A folder with `times` versions of each training photo; the other splits as they are.

    A copy differs in a byte after the picture's end, so that no photo is a duplicate of another.
    """
    for split in ("train", "valid", "test"):
        for photo in (photos / split).rglob("*.jpg"):
            for number in range(times if split == "train" else 1):
                target = folder / split / photo.parent.name / f"{number}-{photo.name}"
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(photo.read_bytes() + bytes([number]))
    return folder


def peak(root: Path, weights: str, folder: Path) -> float:
    """Peak memory in MiB of one epoch on the photos of `root`."""
    command = [sys.executable, "-m", "dogbreed.train", "data=folder", f"data.root={root}", f"model.weights={weights}"]
    command += ["model.backbone=mobilenet_v2", "trainer.max_epochs=1", f"paths.output_dir={folder}/run-{root.name}"]
    return timed([*command, f"paths.cache_dir={folder}/cache-{root.name}"])[2]


def main() -> None:
    """Print the two peaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("weights")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for times in (1, 4):
            root = copies(options.photos, folder / f"times-{times}", times)
            count = sum(1 for _ in (root / "train").rglob("*.jpg"))
            print(f"{count} training photos: {peak(root, options.weights, folder):.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
