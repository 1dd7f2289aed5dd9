r"""How much of its time a run waits for photos: if that is much, the loader holds it up, and not the network.

    python benchmarks/loader_share.py PHOTOS --weights WEIGHTS --limit-train 960 --limit-val 240 --limit-test 240

PHOTOS is a folder with train/, valid/ and test/; WEIGHTS a state dict of torchvision's mobilenet_v2, or none for random
weights. Each job is `python -m dogbreed.train` with the settings below, in a process of its own, with an empty cache. A
stopwatch runs in the main process while it asks a loader for its next batch, and another one until it asks again. The
first batch of a pass, for which the workers have to start, is in neither figure, nor are imports. What worker processes
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
    """Seconds between two questions of the main process for a batch: those that it waits, and those that it works."""

    def __init__(self) -> None:
        self.waited = self.worked = 0.0
        self.batches = 0
        # When each iterator gave its last batch of the pass that is under way.
        self._given: dict[int, float] = {}

    def beginning(self, begin: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`__iter__` of a loader, which begins a pass: workers that persist come back in the same iterator."""

        def begun(loader: Any) -> Any:
            iterator = begin(loader)
            self._given.pop(id(iterator), None)
            return iterator

        return begun

    def timed(self, following: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`__next__` of a loader's iterator."""

        def next_timed(iterator: Any) -> Any:
            asked, given = time.perf_counter(), self._given.get(id(iterator))
            batch = following(iterator)
            self._given[id(iterator)] = time.perf_counter()
            if given is not None:
                self.worked += asked - given
                self.waited += self._given[id(iterator)] - asked
                self.batches += 1
            return batch

        return next_timed


def measure(arguments: Sequence[str]) -> None:
    """Run the command in this process, and print what the stopwatch shows."""
    watch = Stopwatch()
    iterator = dataloader._BaseDataLoaderIter
    iterator.__next__ = watch.timed(iterator.__next__)  # type: ignore[method-assign, assignment]
    dataloader.DataLoader.__iter__ = watch.beginning(dataloader.DataLoader.__iter__)  # type: ignore[method-assign]
    sys.argv = ["dogbreed.train", *arguments]
    try:
        runpy.run_module("dogbreed.train", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
    print(json.dumps({"waited": watch.waited, "worked": watch.worked, "batches": watch.batches}), flush=True)


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
                seconds = f["waited"] + f["worked"]
                figures = f"{f['batches']} | {seconds:.1f} | {f['waited']:.1f} | {f['waited'] / seconds:.1%}"
                print(f"| {backbone} | {job} | {figures} | {f['cores']:.2f} |", flush=True)


if __name__ == "__main__":
    if "--" in sys.argv:
        measure(sys.argv[sys.argv.index("--") + 1 :])
    else:
        main()
