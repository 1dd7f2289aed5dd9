r"""How much of its time a run waits for photos: if that is much, the loader holds it up, and not the network.

    python benchmarks/loader_share.py PHOTOS --weights WEIGHTS --limit-train 960 --limit-val 240 --limit-test 240

PHOTOS is a folder with train/, valid/ and test/; WEIGHTS a state dict of torchvision's mobilenet_v2, or none for random
weights. Each job is `python -m dogbreed.train` with the settings below, in a process of its own, with an empty cache. A
stopwatch runs in the main process while it asks a loader for its next batch. A pass lasts from the first batch that is
asked for to the last: start, imports and what follows the training are in neither figure. What worker processes
take from the cores that compute is not waiting; the last column says how many cores the whole command kept busy.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sides.protocol import limits, parser
from sides.subset import subset
from torch.utils.data import dataloader

JOBS: dict[str, Sequence[str]] = {
    "frozen, each photo looked at once": [],
    "frozen, a random crop in each epoch": ["model.cache=false", "data.prepare=false"],
    "frozen up to layer4, from kept features": ["model.frozen=layer4"],
    "fine-tuned, from the files": ["experiment=finetune", "data.prepare=false"],
    "fine-tuned, from prepared photos": ["experiment=finetune", "data.prepare=true"],
}
SHORT = ["report=false", "evaluation.duplicates=false", "evaluation.mirror=false", "trainer.max_epochs=2"]
# Stages are called by other names there.
ONLY = {"frozen up to layer4, from kept features": "resnet50"}


class Stopwatch:
    """Seconds that loaders took to give what they were asked for, and seconds from the first question to the last."""

    def __init__(self) -> None:
        self.waited = self.lasted = 0.0
        self.batches = 0
        self._began: dict[int, float] = {}

    def around(self, following: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`__next__` of a loader's iterator, timed."""

        def timed(iterator: Any) -> Any:
            asked = time.perf_counter()
            self._began.setdefault(id(iterator), asked)
            try:
                batch = following(iterator)
            except StopIteration:
                self.lasted += time.perf_counter() - self._began.pop(id(iterator))
                raise
            self.waited += time.perf_counter() - asked
            self.batches += 1
            return batch

        return timed


def measure(arguments: Sequence[str]) -> None:
    """Run the command in this process, and print what the stopwatch shows."""
    watch = Stopwatch()
    iterator = dataloader._BaseDataLoaderIter
    iterator.__next__ = watch.around(iterator.__next__)  # type: ignore[method-assign]
    sys.argv = ["dogbreed.train", *arguments]
    try:
        runpy.run_module("dogbreed.train", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
    print(json.dumps({"waited": watch.waited, "lasted": watch.lasted, "batches": watch.batches}), flush=True)


def share(options: argparse.Namespace, backbone: str, overrides: Sequence[str]) -> dict[str, float]:
    """What a process of its own measures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--", f"data.root={options.photos}", "data=folder", *overrides, *SHORT]
        weights = options.weights if backbone == "mobilenet_v2" and options.weights else "null"
        command += [f"model.backbone={backbone}", f"model.weights={weights}", f"seed={options.seed}"]
        command += [f"paths.output_dir={folder}/run", f"paths.cache_dir={folder}/cache"]
        before = os.times()
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return found | {"cores": used / (after.elapsed - before.elapsed)}


def main() -> None:
    """Measure the jobs in turn and print the table."""
    options = parser(__doc__).parse_args()
    print("| backbone | job | batches | seconds | waiting for photos | share | cores in use, whole command |")
    print("|---|---|---|---|---|---|---|")
    with subset(options.photos, limits(options), options.seed) as options.photos:
        for backbone in ("mobilenet_v2", "resnet50"):
            for job, overrides in JOBS.items():
                if ONLY.get(job, backbone) != backbone:
                    continue
                f = share(options, backbone, overrides)
                figures = f"{f['batches']} | {f['lasted']:.1f} | {f['waited']:.1f} | {f['waited'] / f['lasted']:.1%}"
                print(f"| {backbone} | {job} | {figures} | {f['cores']:.2f} |", flush=True)


if __name__ == "__main__":
    if "--" in sys.argv:
        measure(sys.argv[sys.argv.index("--") + 1 :])
    else:
        main()
