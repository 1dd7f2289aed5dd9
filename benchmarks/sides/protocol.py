"""What every side is asked and what it answers; needs nothing but the standard library."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sides.subset import subset

BACKBONES = ("mobilenet_v2", "resnet50")
SPLITS = ("train", "valid", "test")


@dataclass
class Measured:
    """The answer of a side: lists have an entry an epoch, `val_seconds` counts from the start of the process.

    A side that cannot tell training and validation apart leaves both lists empty and gives `epoch_seconds` only.
    """

    side: str
    epochs: int
    photos: dict[str, int]
    test_accuracy: float = 0.0
    val_accuracy: list[float] = field(default_factory=list)
    val_seconds: list[float] = field(default_factory=list)
    train_seconds_per_epoch: list[float] = field(default_factory=list)
    val_pass_seconds: list[float] = field(default_factory=list)
    epoch_seconds: list[float] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)

    def epoch(self, train_seconds: float, val_seconds: float) -> None:
        """Note an epoch whose validation has just ended."""
        self.val_seconds.append(seconds_since_start())
        self.train_seconds_per_epoch.append(train_seconds)
        self.val_pass_seconds.append(val_seconds)
        self.epoch_seconds.append(train_seconds + val_seconds)

    def print(self) -> None:
        """As the last line of the process."""
        print(json.dumps(asdict(self)), flush=True)


def run_epochs(measured: Measured, train: Callable[[], None], accuracy: Callable[[str], float]) -> None:
    """Train and validate epoch by epoch, then test the last one.

    Args:
        measured: takes the figures.
        train: trains for one epoch.
        accuracy: of a split, by its name.
    """
    for _ in range(measured.epochs):
        began = time.monotonic()
        train()
        trained = time.monotonic()
        measured.val_accuracy.append(accuracy("valid"))
        measured.epoch(trained - began, time.monotonic() - trained)
        print(f"epoch {len(measured.val_accuracy)}: val {measured.val_accuracy[-1]:.4f}", flush=True)
    measured.test_accuracy = accuracy("test")


def seconds_since_start() -> float:
    """How long this process has existed, the start of the interpreter and all imports included (Linux)."""
    # The 22nd field of proc(5), counted after the name in brackets, which may hold spaces.
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all sides have."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("photos", type=Path, help="a folder with train/, valid/ and test/")
    made.add_argument("--backbone", choices=BACKBONES, default="mobilenet_v2")
    made.add_argument("--weights", type=weights_file, help="a state dict of torchvision's backbone; none: random")
    made.add_argument("--epochs", type=int, default=5)
    made.add_argument("--batch-size", type=int, default=32)
    made.add_argument("--seed", type=int, default=42)
    for name in ("train", "val", "test"):
        made.add_argument(f"--limit-{name}", type=int, metavar="N", help="only N photos, see sides/subset.py")
    return made


def weights_file(text: str) -> Path | None:
    """The file of the weights; None for the word none.

    >>> weights_file("none") is None
    True
    """
    return None if text == "none" else Path(text).resolve(strict=True)


def limits(options: argparse.Namespace) -> dict[str, int | None]:
    """How many photos of each split folder may be used; None for all."""
    return dict(zip(SPLITS, (options.limit_train, options.limit_val, options.limit_test), strict=True))


@contextmanager
def asked(description: str | None, *more: Sequence[str]) -> Iterator[argparse.Namespace]:
    """The options of the command line, where `photos` is the folder to use: the limits have been applied.

    Args:
        description: of the side.
        more: for each option of this side alone its name, its default and its help.
    """
    made = parser(description)
    for name, default, text in more:
        made.add_argument(name, default=default, help=text)
    options = made.parse_args()
    with subset(options.photos, limits(options), options.seed) as photos:
        options.photos = photos
        yield options
