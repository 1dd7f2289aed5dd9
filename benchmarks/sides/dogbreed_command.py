"""Ours: `python -m dogbreed.train` with what is given after `--overrides`, its figures from what the run leaves.

    PYTHONPATH=benchmarks python -m sides.dogbreed_command PHOTOS --weights WEIGHTS --overrides report=false

The command is run as a user runs it, with a cache folder of its own: the check of the photos is part of the time. An
epoch's validation counts as known when the epoch's line is printed. The best epoch, by validation loss, is tested.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from sides.protocol import Measured, limits, parser, seconds_since_start
from sides.subset import subset

EPOCH_LINE = re.compile(r"epoch +\d+/\d+.* ([\d.]+) s$")


def command(options: argparse.Namespace, folder: Path) -> list[str]:
    """The command line of the run."""
    return [
        *(sys.executable, "-m", "dogbreed.train", f"data.root={options.photos}", "data=folder"),
        *(f"model.backbone={options.backbone}", f"model.weights={options.weights or 'null'}"),
        *(f"trainer.max_epochs={options.epochs}", f"data.batch_size={options.batch_size}", f"seed={options.seed}"),
        *(f"paths.output_dir={folder}/run", f"paths.cache_dir={folder}/cache", *options.overrides),
    ]


def epochs(line: str, measured: Measured) -> None:
    """Note an epoch if the line tells of one."""
    if found := EPOCH_LINE.match(line.strip()):
        measured.val_seconds.append(seconds_since_start())
        measured.epoch_seconds.append(float(found[1]))


def ours(options: argparse.Namespace, folder: Path) -> Measured:
    """Run the command and read what it left."""
    measured = Measured("dogbreed", options.epochs, {}, settings={"overrides": options.overrides})
    with subprocess.Popen(command(options, folder), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            epochs(line, measured)
    if process.returncode:
        sys.exit(process.returncode)
    found = json.loads((folder / "run" / "metrics.json").read_text())
    with (folder / "run" / "history.csv").open(newline="") as file:
        measured.val_accuracy = [float(row["val/acc"]) for row in csv.DictReader(file)]
    measured.photos = {{"val": "valid"}.get(split, split): count for split, count in found["data"]["photos"].items()}
    measured.test_accuracy = found["metrics"]["test/acc"]
    # Fewer epochs than asked for where the run stopped early.
    measured.epochs = len(measured.val_accuracy)
    return measured


def main() -> None:
    """Run, read, print."""
    made = parser(__doc__)
    made.add_argument("--overrides", nargs="*", default=[], metavar="KEY=VALUE", help="settings of the command")
    options = made.parse_args()
    with (
        subset(options.photos, limits(options), options.seed) as options.photos,
        tempfile.TemporaryDirectory() as folder,
    ):
        measured = ours(options, Path(folder))
    measured.print()


if __name__ == "__main__":
    main()
