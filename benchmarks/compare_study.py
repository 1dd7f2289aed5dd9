r"""A whole search by ours, beside what the same trials would take by the public method.

    python benchmarks/compare_study.py PHOTOS --weights WEIGHTS --epochs 20 --trials 20 --results RESULTS

PHOTOS is a folder with train/, valid/ and test/; WEIGHTS a state dict of torchvision's backbone; one of random weights
is good for times only (--seeds 0). Ours is `python -m dogbreed.tune`, all of it, with an empty cache: default over
three seeds, trials, best over three seeds, the best trained again, tested and reported on. The public method has no
pruning and keeps nothing, so its trials are all alike: an epoch of it on --limit-train photos, measured before and
after ours, is scaled by the photos, the epochs and the trials; imports, tests and comparisons are not counted there.

The default and the best settings are then trained over --seeds seeds and tested.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import yaml
from compare_sides import SIDES, run, timed
from sides.protocol import SPLITS, limits, parser
from sides.subset import subset


def photos(root: Path) -> dict[str, int]:
    """How many photos each split has."""
    return {split: sum(path.is_file() for path in (root / split).rglob("*")) for split in SPLITS}


def public_epoch(options: argparse.Namespace) -> float:
    """What an epoch of the public method takes on all photos, training and validation: scaled from some of them."""
    with subset(options.photos, limits(options), options.seed) as some:
        found = run("public method", SIDES["public method"], argparse.Namespace(**vars(options) | part(some)), 0)
    counts, figures = photos(options.photos), found.figures
    # The faster of two: the first has to begin.
    train = min(figures["train_seconds_per_epoch"]) * counts["train"] / figures["photos"]["train"]
    return float(train + min(figures["val_pass_seconds"]) * counts["valid"] / figures["photos"]["valid"])


def part(some: Path) -> dict[str, Any]:
    """What differs where an epoch is measured."""
    return {"photos": some, "epochs": 2}


def command(options: argparse.Namespace, module: str, output_dir: Path, *overrides: str) -> list[str]:
    """A command of ours."""
    given = [f"data.root={options.photos}", "data=folder", f"model.backbone={options.backbone}"]
    run = [f"model.weights={options.weights}", f"trainer.max_epochs={options.epochs}", f"paths.output_dir={output_dir}"]
    return [sys.executable, "-m", module, *given, *run, *overrides]


def test_accuracies(options: argparse.Namespace, folder: Path, best: dict[str, Any]) -> dict[str, list[float]]:
    """The test accuracy of the default and of the best settings, by seed."""
    sides = {"default": [], "best": [f"{g}.{name}={value}" for g, node in best.items() for name, value in node.items()]}
    found: dict[str, list[float]] = {}
    for name, overrides in sides.items():
        for seed in range(options.seed, options.seed + options.seeds):
            output_dir = folder / f"{name}-{seed}"
            quick = ["report=false", "evaluation.duplicates=false", f"seed={seed}"]
            subprocess.run(
                command(options, "dogbreed.train", output_dir, *quick, *overrides),
                check=True,
                stdout=subprocess.DEVNULL,
            )
            metrics = json.loads((output_dir / "metrics.json").read_text())["metrics"]
            found.setdefault(name, []).append(round(metrics["test/acc"], 4))
    return found


def main() -> None:
    """Public, ours, public; then the test figures."""
    made = parser(__doc__)
    made.add_argument("--trials", type=int, default=20)
    made.add_argument("--seeds", type=int, default=3, help="0: no test figures")
    made.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "study")
    made.set_defaults(epochs=20, limit_train=672, limit_val=84, limit_test=8)
    options = made.parse_args()
    options.python_of = {}
    options.results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["DOGBREED_CACHE"] = f"{scratch}/cache"
        study = Path(scratch) / "study"
        before = public_epoch(options)
        _, seconds, usage = timed(command(options, "dogbreed.tune", study, f"n_trials={options.trials}"))
        after = public_epoch(options)
        public = mean([before, after]) * options.epochs * options.trials
        best = yaml.safe_load((study / "best.yaml").read_text())
        found = {
            "backbone": options.backbone,
            "trials": options.trials,
            "epochs": options.epochs,
            "public seconds an epoch": [before, after],
            "public seconds": public,
            "seconds": seconds,
            "cpu seconds": usage.ru_utime + usage.ru_stime,
            "peak MiB": usage.ru_maxrss / 1024,
            "ratio": public / seconds,
            "best": best,
            "test accuracy": test_accuracies(options, Path(scratch), best) if options.seeds else {},
        }
    (options.results / f"{options.backbone}.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
