"""What seeing inside a run costs: the training step of a fine-tuned network, with and without.

    python benchmarks/debugger_cost.py --backbone resnet50 --steps 100 --repeat 2

Sides: nothing; losses at every step and gradients at every 50th with smdebug; `debugger=rules`; `debugger=full`;
`profiler=on`. Each side is a real run (Trainer, module, callbacks as the command makes them) on random images in a
process of its own, the sides alternate; its first five steps are left out. Wall time of a step, its data wait included:
the mean, and the median, which is that of a step at which no gradients are due.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Any

WARM_UP = 5
SIDES: dict[str, list[str]] = {
    "nothing": [],
    "losses 1, gradients 50": [
        "debugger.trial=true",
        "+debugger.collections={losses: {train: {save_interval: 1}}, gradients: {train: {save_interval: 50}}}",
    ],
    "debugger=rules": ["debugger=rules"],
    "debugger=full": ["debugger=full"],
    "profiler=on": ["profiler=on", "profiler.num_steps=0"],
}


def composed(output_dir: Path, overrides: list[str]) -> Any:
    """The callbacks that the command would make of its settings."""
    from hydra import compose, initialize_config_dir
    from hydra.utils import instantiate

    from dogbreed.composed_run import CONF

    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", [f"paths.output_dir={output_dir}", *overrides])
    return [*instantiate(config.debugger, _convert_="all"), *instantiate(config.profiler, _convert_="all")]


def run(options: argparse.Namespace) -> list[float]:
    """Train for so many steps; the seconds of each after the first few."""
    import torch
    from pytorch_lightning import Callback
    from torch.utils.data import DataLoader, TensorDataset

    from dogbreed.allocator import keep_freed_memory
    from dogbreed.models.classifier import BreedClassifier
    from dogbreed.train import quiet
    from dogbreed.training.trainer import build_trainer

    class Clock(Callback):
        """Notes when each step ends."""

        def __init__(self) -> None:
            self.ends: list[float] = []

        def on_train_batch_end(self, *_: Any) -> None:
            self.ends.append(time.monotonic())

    keep_freed_memory()
    quiet()
    with tempfile.TemporaryDirectory() as folder:
        module = BreedClassifier(
            120, backbone=options.backbone, weights=None, frozen=False, image_size=options.image_size, cache=False
        )
        count = options.batch_size * 4
        images = torch.randn(count, 3, options.image_size, options.image_size)
        photos = TensorDataset(images, torch.randint(0, 120, (count,)))
        loader = DataLoader(
            photos, options.batch_size, sampler=[n % count for n in range(options.steps * options.batch_size)]
        )
        clock = Clock()
        callbacks = [*composed(Path(folder), json.loads(options.run)), clock]
        trainer = build_trainer(folder, max_epochs=1, callbacks=callbacks, enable_checkpointing=False, logger=False)
        trainer.fit(module, loader)
    return [after - before for before, after in pairwise(clock.ends[WARM_UP - 1 :])]


def main() -> None:
    """Run the sides in turn and print the table; or, within a side's process, run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--sides", nargs="*", choices=list(SIDES), default=list(SIDES))
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(options)))
        return
    seconds: dict[str, list[list[float]]] = {side: [] for side in options.sides}
    for _ in range(options.repeat):
        for side in options.sides:
            command = [sys.executable, __file__, *sys.argv[1:], "--run", json.dumps(SIDES[side])]
            answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds[side].append(json.loads(answer.splitlines()[-1]))
            print(f"{side}: {mean(seconds[side][-1]):.4f} s a step", file=sys.stderr, flush=True)
    base = seconds[options.sides[0]]
    print("| | mean seconds a step | of each run | more | median | more |\n|---|---|---|---|---|---|")
    for side, found in seconds.items():
        means, medians = list(map(mean, found)), list(map(median, found))
        more, of_median = mean(means) / mean(map(mean, base)) - 1, mean(medians) / mean(map(median, base)) - 1
        runs = ", ".join(f"{value:.3f}" for value in means)
        print(f"| {side} | {mean(means):.3f} | {runs} | {more:+.1%} | {mean(medians):.3f} | {of_median:+.1%} |")


if __name__ == "__main__":
    main()
