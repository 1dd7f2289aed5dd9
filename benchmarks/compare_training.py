"""Ours beside the public method: same photos, weights and epochs, one after the other on one machine.

    python benchmarks/compare_training.py PHOTOS WEIGHTS --epochs 5 --seeds 42 43 44 --results RESULTS

PHOTOS is a folder with train/, valid/ and test/; WEIGHTS a state dict of torchvision's mobilenet_v2. The sides
alternate by seed. Each run leaves a file in RESULTS: its wall time, the peak memory of its largest process, and its own
figures (of ours the run's metrics.json). `measured_table.py` makes the README's table of these files.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Outcome:
    """One run of one side: `figures` are what the run itself left."""

    figures: dict[str, Any]
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
    return Outcome(json.loads(output.splitlines()[-1]), seconds, peak)


def ours(options: argparse.Namespace, seed: int, *overrides: str) -> Outcome:
    """A run of the command, its figures from the run's own metrics.json."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dogbreed.train", f"data.root={options.photos}", "data=folder"]
        command += ["model.backbone=mobilenet_v2", f"model.weights={options.weights}", f"seed={seed}"]
        command += [f"trainer.max_epochs={options.epochs}", f"paths.output_dir={folder}/run"]
        # Its own cache: the check of the photos is part of the time.
        command += [f"paths.cache_dir={folder}/cache", *overrides]
        _, seconds, peak = timed(command)
        figures = json.loads((Path(folder) / "run" / "metrics.json").read_text())
    # Where the weights lay is nobody else's business.
    figures["training"]["settings"]["weights"] = Path(options.weights).name
    return Outcome(figures, seconds, peak)


def fine_tuned(options: argparse.Namespace, seed: int) -> Outcome:
    """A run that trains all of the network."""
    return ours(options, seed, "experiment=finetune")


SIDES: dict[str, Callable[[argparse.Namespace, int], Outcome]] = {
    "public method": public,
    "dogbreed, frozen backbone": ours,
    "dogbreed, fine-tuned": fine_tuned,
}


def main() -> None:
    """Run the sides in turn and keep what each left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos")
    parser.add_argument("weights")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), default=list(SIDES))
    parser.add_argument("--results", type=Path, default=HERE / "results")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    for seed in options.seeds:
        for side in options.sides:
            outcome = asdict(SIDES[side](options, seed))
            print(side, seed, {name: value for name, value in outcome.items() if name != "figures"}, flush=True)
            name = f"{side.replace(', ', '-').replace(' ', '-')}-{seed}.json"
            (options.results / name).write_text(json.dumps({"side": side, "seed": seed, **outcome}, indent=2) + "\n")


if __name__ == "__main__":
    main()
