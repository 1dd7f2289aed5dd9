"""Whether the rules name the fault of a run, and say nothing of a healthy one.

    python benchmarks/planted_faults.py [--photos FOLDER --weights mobilenet_v2.pth] [--only WORD ...]

Trains real, small runs, composed as the command composes them with `debugger=rules`: on the embedded sample, with
faults planted and without, and, where they are given, on photographs with real weights. Prints a row for each with
what every rule says, and the sentence of what was found. Ends with 1 where a fault goes unnamed or a healthy run is
not left in peace.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import torch
from planted.photos import draw_classes
from planted.run import FIRED, Run, composed, findings_of
from planted.runs import healthy_runs, planted_runs, runs_on_photos
from torchvision import models

from dogbreed.debugging.finding import Finding
from dogbreed.train import quiet

CELLS = {"IssuesFound": "fired", "NotApplicable": "n.a.", "NoIssuesFound": "–", "InProgress": "–"}  # noqa: RUF001


def short(rule: str) -> str:
    """A rule's name as a column has room for it.

    >>> short("VanishingGradient"), short("Overfit")
    ('VanGra', 'Overfit')
    """
    words = re.findall("[A-Z][a-z]+", rule)
    return rule if len(words) == 1 else "".join(word[:3] for word in words)


def make_weights(folder: Path, seed: int) -> Path:
    """A ResNet-18 that has seen the sample for five epochs, as a state dict of the whole network."""
    run = Run("weights", ("trainer.max_epochs=5",))
    findings_of(run, folder / "pretraining", seed=seed + 1)
    checkpoint = torch.load(folder / "pretraining" / "checkpoints" / "best.ckpt", weights_only=True)
    backbone = {k.removeprefix("network.backbone."): v for k, v in checkpoint["state_dict"].items() if "backbone" in k}
    torch.save(models.get_model("resnet18").state_dict() | backbone, folder / "resnet18.pth")
    return folder / "resnet18.pth"


def asked(run: Run, folder: Path, seed: int, verbose: bool) -> dict[str, Finding]:
    """What each rule says of a run."""
    began = time.monotonic()
    with redirect_stdout(sys.stderr if verbose else io.StringIO()):
        found = findings_of(run, folder / run.name.replace(" ", "_").replace(",", ""), seed=seed)
    print(f"{run.name}: {', '.join(fired(found)) or 'nothing'} ({time.monotonic() - began:.0f} s)", file=sys.stderr)
    return found


def fired(found: dict[str, Finding]) -> list[str]:
    """The rules that found an issue, or failed."""
    return [rule for rule, finding in found.items() if finding.status in FIRED]


def sentences(run: Run, found: dict[str, Finding]) -> list[str]:
    """What was found, or that the fault went unnamed."""
    chosen = [rule for rule in fired(found) if run.expected in (None, rule)]
    unnamed = [] if chosen or not run.expected else [f"- {run.name}: {run.expected} says nothing."]
    return [f"- {run.name}: {rule}: {found[rule].reason}" for rule in chosen] + unnamed


def right(run: Run, found: dict[str, Finding]) -> bool:
    """Whether the fault was named, or a healthy run left in peace."""
    return run.expected in fired(found) if run.expected else not fired(found)


def table(runs: Sequence[Run], answers: Sequence[dict[str, Finding]], rules: Sequence[str]) -> str:
    """The table in Markdown, and the sentences."""
    rows = [["run", *map(short, rules)], ["---"] * (len(rules) + 1)]
    for run, found in zip(runs, answers, strict=True):
        cells = {rule: CELLS.get(found[rule].status, found[rule].status) for rule in rules}
        rows.append([run.name, *(f"**{cell}**" if rule == run.expected else cell for rule, cell in cells.items())])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    said = [line for run, found in zip(runs, answers, strict=True) for line in sentences(run, found)]
    return "\n".join([*lines, "", *said])


def chosen_runs(options: argparse.Namespace, folder: Path) -> list[Run]:
    """Planted, healthy, and those on photographs where there are some."""
    with redirect_stdout(io.StringIO()):
        weights = make_weights(folder, options.seed)
    runs = [*planted_runs(weights, draw_classes(folder / "hundred", 100)), *healthy_runs(weights)]
    if options.photos and options.weights:
        runs += runs_on_photos(options.photos.resolve(), options.weights.resolve())
    return [run for run in runs if not options.only or any(word in run.name for word in options.only)]


def main() -> int:
    """Train all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder of photographs, a folder a class")
    parser.add_argument("--weights", type=Path, help="a state dict of MobileNet V2")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--only", nargs="+", metavar="WORD", help="runs with such a word in their name")
    parser.add_argument("--verbose", action="store_true", help="print what the runs print")
    options = parser.parse_args()
    quiet()
    with tempfile.TemporaryDirectory() as name:
        runs = chosen_runs(options, Path(name))
        answers = [asked(run, Path(name), options.seed, options.verbose) for run in runs]
    print(table(runs, answers, list(composed([]).debugger.rules)))
    return int(not all(right(run, found) for run, found in zip(runs, answers, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
