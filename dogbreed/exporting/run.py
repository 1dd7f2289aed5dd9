"""From an artifact to a file in another format, compared with it before it takes its place."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from dogbreed.artifacts import Artifact
from dogbreed.atomic import atomic_write
from dogbreed.errors import ConfigError
from dogbreed.exporting.comparison import drawn_batches, largest_difference
from dogbreed.exporting.destination import export_destination
from dogbreed.exporting.error import ExportError
from dogbreed.exporting.formats import Format, known_format
from dogbreed.exporting.graph import Graph, build_graph
from dogbreed.exporting.program import build_program


@dataclass(frozen=True)
class ExportResult:
    """What was written.

    `files` are the exported file and, where its weights lie apart, those; `sidecar` is the JSON that describes them;
    `difference` is the largest one from PyTorch's answers, `bytes` the size of all files, `usage` three lines of code.
    """

    files: tuple[Path, ...]
    sidecar: Path
    difference: float
    bytes: int
    usage: str


def export_model(
    artifact: Artifact,
    path: str | Path,
    *,
    format: str = "onnx",  # noqa: A002 - the command's own word
    preprocessing: bool = False,
    calibrate: bool = True,
) -> ExportResult:
    """Write a model for other programs, once the file has answered drawn photos as the model does.

    The graph takes `images`, a batch of any size: normalised float32 of shape (batch, 3, crop, crop), and gives
    `logits`, shape (batch, num_classes). Resizing and cropping stay outside: see `python -m dogbreed.export --help`.
    Beside the file comes `FILE.json`: names, shapes, preprocessing, temperature, class names, SHA-256. ONNX holds up to
    2 GB in one file; weights of more lie beside it, in `FILE.*.data`.

    Args:
        artifact: left as it is; on any device.
        path: ends in ".onnx" or ".pt2"; an older file is replaced.
        format: "onnx" (opset 18) or "torch_export".
        preprocessing: images are then uint8, normalised inside, and the graph ends in `probabilities`.
        calibrate: whether the temperature is the one found in calibration; else 1. Probabilities are those of the
            logits divided by it; beside a file that gives logits it is only noted.

    Raises:
        ConfigError: an unknown format, another suffix, or a library is missing.
        ExportError: the network has no such form, the file cannot be written, or it answers otherwise than the model.
    """
    chosen, path = known_format(format), Path(path).expanduser()
    if path.suffix != chosen.suffix:
        raise ConfigError(f"Expected the output of format={format} to end in {chosen.suffix}, got {path.name!r}.")
    graph = build_graph(artifact, preprocessing=preprocessing, calibrate=calibrate)
    try:
        files, difference = _write_compared(graph, chosen, path)
        described = {"format": format} | graph.description() | {"largest_difference": difference}
        sidecar = _write_sidecar(files, described)
    except OSError as error:
        raise ExportError(f"Cannot write the export to {path}: {error.strerror or error}.") from error
    size = sum(file.stat().st_size for file in files)
    return ExportResult(files, sidecar, difference, size, chosen.usage.format(file=str(path), output=graph.output))


def _write_compared(graph: Graph, chosen: Format, path: Path) -> tuple[tuple[Path, ...], float]:
    batches = [graph.prepared(photos) for photos in drawn_batches(graph.artifact.preprocessing)]
    with export_destination(path) as destination:
        chosen.write(build_program(graph), destination)
        destination.file.flush()
        difference = largest_difference(graph.answers(batches), chosen.answers(destination.partial, batches))
    return tuple(file for file in (path, destination.weights) if file.exists()), difference


def _write_sidecar(files: tuple[Path, ...], described: dict[str, object]) -> Path:
    sidecar = files[0].with_name(f"{files[0].name}.json")
    content = described | {"files": {file.name: {"sha256": _sha256(file)} for file in files}}
    with atomic_write(sidecar) as opened:
        opened.write(json.dumps(content, indent=2, ensure_ascii=False).encode())
    return sidecar


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
