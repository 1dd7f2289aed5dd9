"""`python -m dogbreed.export`: a trained model for programs that know nothing of this package."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dogbreed.allocator import keep_freed_memory
from dogbreed.command_line import run_command, shows_help
from dogbreed.options import only_options

if TYPE_CHECKING:
    from dogbreed.exporting.run import ExportResult

HELP = """Write a trained model as ONNX, or as a program of torch.export.

  python -m dogbreed.export model=DIR [key=value ...]

  model=DIR            the model folder that a run left: OUTPUT_DIR/model
  format=onnx          onnx (opset 18; needs pip install -e ".[export]"), or torch_export (a .pt2 file for PyTorch)
  output=FILE          DIR/model.onnx or DIR/model.pt2; FILE.json beside it says what goes in and what comes out
  preprocessing=false  true: images are uint8 pixels, normalised inside, and the answers are probabilities;
                       false: images are normalised float32, and the answers are logits
  calibrate=true       probabilities are those of logits divided by the temperature of the calibration, if there is one

  python -m dogbreed.export model=outputs/2026-11-20/10-00-00/model
  python -m dogbreed.export model=outputs/2026-11-20/10-00-00/model format=torch_export preprocessing=true

The input is `images`, shape (batch, 3, crop, crop), of any batch; the output is `logits` or `probabilities`. The file
is compared with PyTorch on drawn photos in batches of 1, 2 and 5 before it takes its place. torch.export.load can run
code that is in a file: load a .pt2 of your own only.

Resizing and cropping stay outside, since ONNX has not Pillow's arithmetic. With "preprocessing" of FILE.json as p:

  image = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
  width, height = (int(p["resize"] * side / min(image.size)) for side in image.size)
  image = image.resize((width, height), Image.Resampling[p["interpolation"].upper()])
  left, top = (round((side - p["crop"]) / 2) for side in (width, height))
  image = image.crop((left, top, left + p["crop"], top + p["crop"]))
  images = np.asarray(image).transpose(2, 0, 1)[np.newaxis]  # uint8: all that preprocessing=true takes
  images = images.astype(np.float32) / 255
  images = (images - np.float32(p["mean"])[:, None, None]) / np.float32(p["std"])[:, None, None]"""

SUFFIXES = {"onnx": ".onnx", "torch_export": ".pt2"}


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    model: str = field(
        default="", metadata={"needed": "Expected model=DIR, the model folder that a run left (OUTPUT_DIR/model)."}
    )
    format: str = field(default="onnx", metadata={"choices": tuple(SUFFIXES)})
    output: str = ""
    preprocessing: bool = False
    calibrate: bool = True


def describe(result: ExportResult) -> str:
    """What was written, and how to use it, in lines of text."""
    size = f"{result.bytes / 1e6:.1f} MB"
    lines = [
        f"Written: {' and '.join(map(str, result.files))} ({size}), described in {result.sidecar}",
        f"Largest difference from PyTorch on drawn photos, batches of 1, 2 and 5: {result.difference:.2g}",
        "To use it (how a photo becomes images: --help):",
        *(f"  {line}" for line in result.usage.splitlines()),
    ]
    return "\n".join(lines)


def main() -> int:
    """Load, export, tell."""
    if (status := shows_help(HELP)) is not None:
        return status
    options = only_options(Options, sys.argv[1:])
    keep_freed_memory()
    from dogbreed.artifacts import load_artifact
    from dogbreed.exporting.run import export_model

    output = options.output or Path(options.model) / f"model{SUFFIXES[options.format]}"
    result = export_model(
        load_artifact(options.model),
        output,
        format=options.format,
        preprocessing=options.preprocessing,
        calibrate=options.calibrate,
    )
    print(describe(result))
    return 0


if __name__ == "__main__":
    run_command(main)
