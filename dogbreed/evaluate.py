"""`python -m dogbreed.evaluate`: how good a model is on a folder of photos, and how far to believe it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from dogbreed.allocator import keep_freed_memory
from dogbreed.command_line import run_command, shows_help
from dogbreed.options import only_options

HELP = """Judge a model on a folder of photos.

  python -m dogbreed.evaluate model=DIR data.root=PATH [key=value ...]

  model=DIR             the model folder that a run left: OUTPUT_DIR/model
  data.root=PATH        PATH/train, PATH/valid, PATH/test with a folder a class in each; or just a folder a class
  data.split=test       train, val, test, or all for every photo
  data.seed=42          of the run that trained on this folder: decides the splits of a folder that has none
  data.batch_size=32    photos at once
  data.num_workers=-1   processes that open photos; -1: half of the cores
  calibrate=true        probabilities divided by the temperature that the run found
  tta=false             test-time augmentation: the mean of the answers for a photo and its mirror image
  mirror=true           look at every mirror image all the same, to say what tta would give
  duplicates=true       look at the other splits as well, for photos that are nearly the same
  report=true           draw report.html
  device=auto           cpu, cuda, cuda:1, mps, auto
  paths.output_dir=DIR  a new folder below outputs/

  python -m dogbreed.evaluate model=outputs/2026-11-20/10-00-00/model data.root=photos

Leaves report.html, metrics.json, predictions.csv, per_class.csv, label_errors.csv and duplicates.csv."""


@dataclass
class Options:
    """The `key=value` arguments."""

    model: str = field(
        default="", metadata={"needed": "Expected model=DIR, the model folder that a run left (OUTPUT_DIR/model)."}
    )
    root: str = field(
        default="",
        metadata={"key": "data.root", "needed": "Expected data.root=PATH, the folder of photos to judge on."},
    )
    split: str = field(default="test", metadata={"key": "data.split", "choices": ("train", "val", "test", "all")})
    seed: int = field(default=42, metadata={"key": "data.seed"})
    batch_size: int = field(default=32, metadata={"key": "data.batch_size", "least": 1})
    num_workers: int = field(default=-1, metadata={"key": "data.num_workers", "least": -1})
    calibrate: bool = True
    tta: bool = False
    mirror: bool = True
    duplicates: bool = True
    report: bool = True
    device: str = "auto"
    output_dir: str = field(default="", metadata={"key": "paths.output_dir"})


def lines(results: dict[str, Any], output_dir: Path, report: bool) -> list[str]:
    """What the command says at its end."""
    judged, metrics, intervals = results["judged"], results["metrics"], results["intervals"]
    name = judged["split"]
    figures = [
        f"  {key.removeprefix(f'{name}/'):17} {value:.4f}"
        + (f"   95 % interval {intervals[key][0]:.4f} to {intervals[key][1]:.4f}" if key in intervals else "")
        for key, value in metrics.items()
    ]
    gain = results["tta_gain"]
    return [
        f"{judged['photos']:,} photos of {name}:",
        *figures,
        *(
            [f"  tta would add {gain['value']:+.4f} to acc (95 % interval {gain['low']:+.4f} to {gain['high']:+.4f})"]
            if gain and not judged["tta"]
            else []
        ),
        *(f"warning: left out: {message}" for message in results["skipped"]),
        *(f"note: {note}" for note in results["notes"]),
        f"{'Report: ' + str(output_dir / 'report.html') if report else 'Tables: ' + str(output_dir)}",
    ]


def main() -> int:
    """Judge, then say the figures."""
    if (status := shows_help(HELP)) is not None:
        return status
    options = only_options(Options, sys.argv[1:])
    keep_freed_memory()
    from dogbreed.artifacts import load_artifact
    from dogbreed.data.loading import default_workers
    from dogbreed.device import existing_device
    from dogbreed.evaluation.evaluation import Settings
    from dogbreed.evaluation.judgement import judge
    from dogbreed.evaluation.photos import folder_to_judge
    from dogbreed.training.precision import automatic_precision

    artifact = load_artifact(options.model, existing_device(options.device))
    folder = folder_to_judge(options.root, options.split, artifact.class_names, seed=options.seed)
    output_dir = Path(options.output_dir or datetime.now().strftime("outputs/%Y-%m-%d/%H-%M-%S-evaluation"))
    settings = Settings(
        calibrate=options.calibrate,
        tta=options.tta,
        mirror=options.mirror,
        duplicates=options.duplicates,
        batch_size=options.batch_size,
        num_workers=default_workers() if options.num_workers < 0 else options.num_workers,
        mixed_precision=automatic_precision() != "32-true",
    )
    command = ("python", "-m", "dogbreed.evaluate", *sys.argv[1:])
    results = judge(artifact, folder, output_dir, settings=settings, report=options.report, command=command)
    print("\n".join(lines(results, output_dir, options.report)))
    return 0


if __name__ == "__main__":
    run_command(main)
