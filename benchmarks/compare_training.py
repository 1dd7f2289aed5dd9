"""Ours beside the public method: same photos, weights and epochs, one after the other on one machine.

    python benchmarks/compare_training.py PHOTOS WEIGHTS --epochs 5 --seeds 42 43 44

PHOTOS is a folder with train/, valid/ and test/; WEIGHTS a state dict of torchvision's mobilenet_v2. Prints a table
of test accuracy, wall time and peak memory (of the largest process) of each side; the sides alternate by seed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Outcome:
    """One run of one side."""

    accuracy: float
    seconds: float
    peak_mib: float


def timed(command: list[str]) -> tuple[str, float, float]:
    """What a command printed, how long it took, and the peak memory of its largest process in MiB."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        if status:
            raise SystemExit(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}")
        output.seek(0)
        return output.read(), seconds, usage.ru_maxrss / 1024


def public(options: argparse.Namespace, seed: int) -> Outcome:
    """The public method, see `public_method.py`."""
    script = str(HERE / "public_method.py")
    command = [sys.executable, script, options.photos, options.weights, f"--epochs={options.epochs}", f"--seed={seed}"]
    output, seconds, peak = timed(command)
    return Outcome(json.loads(output.splitlines()[-1])["test"], seconds, peak)


def ours(options: argparse.Namespace, seed: int, *overrides: str) -> Outcome:
    """A run of the command, its accuracy from the run's own metrics.json."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dogbreed.train", f"data.root={options.photos}", "data=folder"]
        command += ["model.backbone=mobilenet_v2", f"model.weights={options.weights}", f"seed={seed}"]
        command += [f"trainer.max_epochs={options.epochs}", f"paths.output_dir={folder}/run"]
        # Its own cache: the check of the photos is part of the time.
        command += [f"paths.cache_dir={folder}/cache", *overrides]
        _, seconds, peak = timed(command)
        metrics = json.loads((Path(folder) / "run" / "metrics.json").read_text())["metrics"]
    return Outcome(metrics["test/acc"], seconds, peak)


def fine_tuned(options: argparse.Namespace, seed: int) -> Outcome:
    """A run that trains all of the network."""
    return ours(options, seed, "experiment=finetune")


SIDES: dict[str, Callable[[argparse.Namespace, int], Outcome]] = {
    "public method": public,
    "dogbreed, frozen backbone": ours,
    "dogbreed, fine-tuned": fine_tuned,
}


def main() -> None:
    """Run the sides in turn and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos")
    parser.add_argument("weights")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), default=list(SIDES))
    options = parser.parse_args()
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for seed in options.seeds:
        for side in options.sides:
            outcomes[side].append(SIDES[side](options, seed))
            print(side, seed, outcomes[side][-1], file=sys.stderr, flush=True)
    print("| side | test accuracy (each seed) | mean | seconds | peak MiB |\n|---|---|---|---|---|")
    for side, runs in outcomes.items():
        accuracies = ", ".join(f"{run.accuracy:.4f}" for run in runs)
        figures = (
            mean(run.accuracy for run in runs),
            mean(run.seconds for run in runs),
            max(run.peak_mib for run in runs),
        )
        print(f"| {side} | {accuracies} | {figures[0]:.4f} | {figures[1]:.0f} | {figures[2]:.0f} |")


if __name__ == "__main__":
    main()
