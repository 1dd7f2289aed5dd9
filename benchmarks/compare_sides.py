r"""The same job done by other programs and by ours, in turn, on one machine.

    python benchmarks/compare_sides.py PHOTOS --weights WEIGHTS --epochs 5 --repeat 3 --results RESULTS \
        --python-of fastai=/path/to/python --python-of timm=/path/to/python \
        --ours "dogbreed:" --ours "training alone: report=false evaluation.duplicates=false"

PHOTOS is a folder with train/, valid/ and test/; WEIGHTS a state dict of torchvision's backbone, or none for random
weights, which are good for times only. The sides are the modules of `sides/`. fastai and timm need an environment of
their own, with the same torch as here:

    python -m venv sides-venv
    sides-venv/bin/pip install fastai timm torch torchvision

--ours NAME: OVERRIDES, any number of times, is a variant of `python -m dogbreed.train`; the ratios are to the first.
--limit-train and its like take a part of the photos, the same for every side. Repeat i runs with the seed plus i.

Wall time is that of the whole command, imports and test included; CPU time is user and system, children included;
peak memory is that of the largest process, not the sum of all. Each run leaves a file in RESULTS, and a table of them
is printed: the median of times and memory, the mean of accuracies.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from sides.protocol import limits, parser
from sides.subset import subset

HERE = Path(__file__).parent
COLUMNS = ("", "wall s", "CPU s", "training images/s", "peak MiB", "test accuracy", "s to {target} val", "wall / ours")


@dataclass(frozen=True)
class Side:
    """A module of `sides/`, whose environment it needs, and what it is told beside the common options."""

    module: str
    environment: str
    arguments: tuple[str, ...] = ()


SIDES = {
    "public method": Side("public", "public"),
    "fastai": Side("fastai_learner", "fastai"),
    "fastai, crop and flip": Side("fastai_learner", "fastai", ("--augmentation=crop", "--train-bn=no")),
    "timm": Side("timm_loop", "timm"),
    "torchvision": Side("torchvision_recipe", "torchvision"),
}


@dataclass(frozen=True)
class Run:
    """One run of one side; `figures` is what the side itself printed."""

    side: str
    repeat: int
    seed: int
    backbone: str
    weights: str | None
    threads: str | None
    seconds: float
    cpu_seconds: float
    peak_mib: float
    figures: dict[str, Any]

    @property
    def images_per_second(self) -> float:
        """Training photos of all epochs by the wall time of the whole command."""
        return float(self.figures["epochs"] * self.figures["photos"]["train"] / self.seconds)

    def seconds_to(self, target: float) -> float | None:
        """When the validation accuracy was first known to be so high; None if it never was."""
        pairs = zip(self.figures["val_accuracy"], self.figures["val_seconds"], strict=True)
        return next((seconds for accuracy, seconds in pairs if accuracy >= target), None)


def timed(command: Sequence[str]) -> tuple[str, float, Any]:
    """What a command printed last, its wall time in seconds, and its and its children's resource usage."""
    # Sides import each other's parts from here. What is asked for is in the file: nobody is to download.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)]), "HF_HUB_OFFLINE": "1"}
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
        output.seek(0)
        return output.read().splitlines()[-1], seconds, usage


def run(name: str, side: Side, options: argparse.Namespace, repeat: int) -> Run:
    """Run a side once."""
    seed = options.seed + repeat
    python = options.python_of.get(side.environment, sys.executable)
    command = [python, "-m", f"sides.{side.module}", str(options.photos), f"--backbone={options.backbone}"]
    command += [f"--weights={options.weights or 'none'}", f"--epochs={options.epochs}", f"--seed={seed}"]
    command += [f"--batch-size={options.batch_size}", *side.arguments]
    answer, seconds, usage = timed(command)
    return Run(
        side=name,
        repeat=repeat,
        seed=seed,
        backbone=options.backbone,
        # Where the weights lay is nobody else's business.
        weights=options.weights and options.weights.name,
        threads=os.environ.get("OMP_NUM_THREADS"),
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
        figures=json.loads(answer),
    )


def variant(text: str) -> tuple[str, Side]:
    """A variant of ours: `NAME: OVERRIDES`, or the overrides alone.

    >>> variant("training alone: report=false")
    ('training alone', Side(module='dogbreed_command', environment='ours', arguments=('--overrides', 'report=false')))
    """
    name, separator, overrides = text.partition(":")
    if not separator or "=" in name:
        name, overrides = text, text
    return name, Side("dogbreed_command", "ours", ("--overrides", *overrides.split()))


def table(runs: Sequence[Run], first_of_ours: str, target: float) -> str:
    """The runs in Markdown, a row a side."""
    by_side = {name: [r for r in runs if r.side == name] for name in dict.fromkeys(r.side for r in runs)}
    ours = [r.seconds for r in by_side.get(first_of_ours, [])]
    head = [column.format(target=target) for column in COLUMNS]
    rows = [_row(name, found, median(ours) if ours else None, target) for name, found in by_side.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])


def _row(name: str, runs: Sequence[Run], ours: float | None, target: float) -> list[str]:
    wall, reached = median(r.seconds for r in runs), [s for r in runs if (s := r.seconds_to(target)) is not None]
    return [
        name,
        f"{wall:.1f}",
        f"{median(r.cpu_seconds for r in runs):.1f}",
        f"{median(r.images_per_second for r in runs):.1f}",
        f"{median(r.peak_mib for r in runs):.0f}",
        f"{mean(r.figures['test_accuracy'] for r in runs):.4f}",
        f"{median(reached):.1f}{_of(len(reached), len(runs))}" if reached else "never",
        f"{wall / ours:.2f}" if ours else "",
    ]


def _of(reached: int, runs: int) -> str:
    return "" if reached == runs else f" ({reached} of {runs} runs)"


def settings() -> argparse.Namespace:
    """The command line."""
    made = parser(__doc__)
    made.add_argument("--repeat", type=int, default=1, metavar="R")
    made.add_argument("--sides", nargs="*", choices=list(SIDES), default=list(SIDES))
    made.add_argument("--ours", action="append", type=variant, metavar="'NAME: OVERRIDES'")
    made.add_argument("--python-of", action="append", default=[], metavar="SIDE=PYTHON")
    made.add_argument("--target", type=float, default=0.78, help="a validation accuracy")
    # Not among the files of compare_training.py, of which the README's table is made.
    made.add_argument("--results", type=Path, default=HERE / "results" / "sides")
    options = made.parse_args()
    options.python_of = dict(pair.split("=", 1) for pair in options.python_of)
    options.ours = dict(options.ours or [variant("dogbreed:")])
    return options


def main() -> None:
    """Run the sides in turn, keep what each left, print the table."""
    options = settings()
    options.results.mkdir(parents=True, exist_ok=True)
    sides = options.ours | {name: SIDES[name] for name in options.sides}
    runs = []
    with subset(options.photos, limits(options), options.seed) as options.photos:
        for repeat in range(options.repeat):
            for name, side in sides.items():
                runs.append(run(name, side, options, repeat))
                print(f"{name}, repeat {repeat}: {runs[-1].seconds:.1f} s", file=sys.stderr, flush=True)
                file = f"{''.join(c if c.isalnum() else '-' for c in name)}-{options.backbone}-{repeat}.json"
                (options.results / file).write_text(json.dumps(asdict(runs[-1]), indent=2) + "\n")
    print(table(runs, next(iter(options.ours)), options.target))


if __name__ == "__main__":
    main()
