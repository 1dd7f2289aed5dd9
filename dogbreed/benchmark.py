"""`python -m dogbreed.benchmark`: what this machine gives for some photos and a network, and what to change."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dogbreed.allocator import keep_freed_memory
from dogbreed.command_line import run_command, shows_help
from dogbreed.errors import ConfigError
from dogbreed.options import only_options

if TYPE_CHECKING:
    from dogbreed.benchmarking.benchmark import Benchmark
    from dogbreed.benchmarking.setting import Setting

HELP = """Measure what this machine gives for your photos and a network, in about a minute, and say what to change.

  python -m dogbreed.benchmark data.root=PATH [key=value ...]

  data.root=PATH            PATH/train, PATH/valid, PATH/test with a folder a class in each; or just a folder a class;
                            a few hundred of the photos are used
  model.backbone=resnet50   any torchvision classification network, or timm/NAME
  model.weights=null        null for random ones: no speed depends on them; imagenet, or a file of weights
  model.image_size=null     side of what the network sees, in pixels; null: what its weights were trained with
  batch_size=32             photos at once
  seconds=5                 for each measurement
  device=auto               cpu, cuda, cuda:1, mps, auto
  output_dir=outputs/benchmark

  python -m dogbreed.benchmark data.root=photos model.backbone=mobilenet_v2

Leaves benchmark.json and benchmark.png. Nothing else should run on the machine meanwhile."""


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    root: str = field(
        default="", metadata={"key": "data.root", "needed": "Expected data.root=PATH, the folder of your photos."}
    )
    backbone: str = field(default="resnet50", metadata={"key": "model.backbone"})
    weights: str = field(default="null", metadata={"key": "model.weights"})
    image_size: str = field(default="null", metadata={"key": "model.image_size"})
    # Batch norm has no variance of one photo.
    batch_size: int = field(default=32, metadata={"least": 2})
    seconds: float = field(default=5.0, metadata={"least": 0.01})
    device: str = "auto"
    output_dir: str = "outputs/benchmark"


def setting(options: Options) -> Setting:
    """The folder checked, the network built.

    Raises:
        DogbreedError: photos, network or device cannot be used.
    """
    from dogbreed.benchmarking.made_up_weights import FITTED, fit_statistics
    from dogbreed.benchmarking.setting import Setting
    from dogbreed.data.datamodule import DogBreedDataModule
    from dogbreed.device import existing_device
    from dogbreed.models.classifier import BreedClassifier
    from dogbreed.models.weights import check_exists

    weights = None if options.weights == "null" else options.weights
    check_exists(weights)
    device = existing_device(options.device)
    data = DogBreedDataModule(options.root, batch_size=options.batch_size)
    module = BreedClassifier(
        data.num_classes, backbone=options.backbone, weights=weights, image_size=image_size(options.image_size)
    )
    module.network.to(device)
    chosen = Setting(data, module, device, options.seconds)
    if weights is None:
        fit_statistics(module.network, chosen.images(FITTED))
    return chosen


def image_size(text: str) -> int | None:
    """The side in pixels; None for "null".

    Raises:
        ConfigError: neither.
    """
    if text == "null":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"Expected model.image_size to be a whole number above 0, or null, got {text!r}.")
    return int(text)


def lines(benchmark: Benchmark, photos: int, output_dir: Path) -> list[str]:
    """What the command says at its end."""
    from dogbreed.benchmarking.wording import latency_lines, run_time_lines, table

    return [
        "",
        *table(benchmark.stages),
        "",
        *latency_lines(benchmark.stages),
        *run_time_lines(benchmark.run_times, photos),
        "",
        *(f"- {sentence}" for sentence in benchmark.advice),
        f"Picture: {output_dir / 'benchmark.png'}",
    ]


def main() -> int:
    """Measure, then say what was found."""
    if (status := shows_help(HELP)) is not None:
        return status
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    options = only_options(Options, sys.argv[1:])
    keep_freed_memory()
    from dogbreed.benchmarking.benchmark import measure, summary
    from dogbreed.train import quiet

    quiet()
    output_dir = made(Path(options.output_dir).expanduser())
    chosen = setting(options)
    benchmark = measure(chosen, lambda name: print(f"Measuring {name} …", flush=True))
    write(output_dir, summary(benchmark, chosen), benchmark)
    print("\n".join(lines(benchmark, len(chosen.data.folder.splits["train"]), output_dir)))
    return 0


def made(output_dir: Path) -> Path:
    """The folder, made before minutes are spent on what goes there.

    Raises:
        ConfigError: it cannot be.
    """
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"Expected to write to {output_dir}, but: {error.strerror or error}.") from error
    return output_dir


def write(output_dir: Path, found: dict[str, object], benchmark: Benchmark) -> None:
    """Leave the figures and the picture.

    Raises:
        ConfigError: they cannot be written.
    """
    from dogbreed.atomic import write_text
    from dogbreed.benchmarking.picture import draw, headings

    try:
        write_text(output_dir / "benchmark.json", json.dumps(found, indent=2, allow_nan=False))
        draw(benchmark.stages, *headings(found), output_dir / "benchmark.png")
    except OSError as error:
        raise ConfigError(f"Expected to write to {output_dir}, but: {error.strerror or error}.") from error


if __name__ == "__main__":
    run_command(main)
