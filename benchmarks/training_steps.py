"""One training step, as the public method takes it and as this project does: what is trained, and how fast.

    python benchmarks/training_steps.py --backbone resnet50 --repeat 5

Random weights and random images: speed does not depend on either. Each side runs in a process of its own, because the
allocator's settings belong to a process; the sides alternate. Printed: milliseconds an image, the median over the
repeats and their range, and the ratio to the eager side of the same regime, a median of the ratios within a repeat.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

NUM_CLASSES = 133
# What is trained, and how: the eager side of each regime comes first.
SIDES: dict[str, tuple[bool | str, bool]] = {
    "all, eager float32": (False, False),
    "all, ours": (False, True),
    "layer4, eager float32": ("layer4", False),
    "layer4, ours, from kept features": ("layer4", True),
    "head, eager float32": (True, False),
    "head, ours, from kept features": (True, True),
}


def eager_step(frozen: bool | str, options: argparse.Namespace) -> Callable[[], Any]:
    """As public code writes it: float32, the whole network in train mode, Adam."""
    import torch
    from torch import nn
    from torchvision import models

    network = models.get_model(options.backbone, num_classes=NUM_CLASSES)
    network.requires_grad_(frozen is False)
    for part in (list(network.children())[-1], *([network.get_submodule(frozen)] if isinstance(frozen, str) else [])):
        part.requires_grad_(True)
    optimizer = torch.optim.Adam(p for p in network.parameters() if p.requires_grad)
    images = torch.randn(options.batch_size, 3, 224, 224)
    target = torch.randint(NUM_CLASSES, (options.batch_size,))

    def step() -> None:
        optimizer.zero_grad()
        loss: torch.Tensor = nn.functional.cross_entropy(network(images), target)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def our_step(frozen: bool | str, options: argparse.Namespace) -> Callable[[], Any]:
    """As a run does: channels-last, the machine's number format, AdamW; on features where a part is frozen."""
    from dogbreed.allocator import keep_freed_memory

    keep_freed_memory()
    import torch

    from dogbreed.bfloat16 import has_bfloat16
    from dogbreed.models.classifier import BreedClassifier
    from dogbreed.models.cut import cut

    module = BreedClassifier(NUM_CLASSES, backbone=options.backbone, weights=None, frozen=frozen)
    network = module.network.train()
    images = torch.randn(options.batch_size, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    upper: Any = network
    if frozen is not False:
        parts = cut(network, frozen)
        with torch.no_grad():
            images, upper = parts.lower(images).clone(), parts.upper
    optimizer = torch.optim.AdamW(p for p in network.parameters() if p.requires_grad)
    target = torch.randint(NUM_CLASSES, (options.batch_size,))
    mixed = has_bfloat16("cpu")

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = module.criterion(upper(images), target)
        loss.backward()
        optimizer.step()

    return step


def timed(step: Callable[[], Any], seconds: float) -> float:
    """Seconds a step, the first two left out."""
    for _ in range(2):
        step()
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds or steps < 3:
        step()
        steps += 1
    return (time.perf_counter() - began) / steps


def measured(options: argparse.Namespace) -> Iterator[dict[str, float]]:
    """Milliseconds an image of every side, once a repeat."""
    for _ in range(options.repeat):
        row = {}
        for side in SIDES:
            command = [sys.executable, __file__, "--side", side, "--backbone", options.backbone]
            command += ["--batch-size", str(options.batch_size), "--seconds", str(options.seconds)]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            row[side] = 1000 * float(json.loads(output.splitlines()[-1])) / options.batch_size
        yield row


def main() -> None:
    """Measure one side, or all of them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--side", choices=SIDES)
    options = parser.parse_args()
    if options.side:
        frozen, ours = SIDES[options.side]
        print(json.dumps(timed((our_step if ours else eager_step)(frozen, options), options.seconds)))
        return
    rows = list(measured(options))
    print("| step | ms an image | range | ratio |\n|---|---|---|---|")
    for side, (frozen, _) in SIDES.items():
        base = next(name for name, (regime, _) in SIDES.items() if regime == frozen)
        times, ratios = [row[side] for row in rows], [row[base] / row[side] for row in rows]
        spread = f"{min(times):.2f} to {max(times):.2f}"
        print(f"| {side} | {statistics.median(times):.2f} | {spread} | {statistics.median(ratios):.1f} |")


if __name__ == "__main__":
    main()
