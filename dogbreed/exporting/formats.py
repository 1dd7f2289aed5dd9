"""The formats of an export: a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor

from dogbreed.errors import ConfigError
from dogbreed.exporting.destination import Destination
from dogbreed.exporting.onnx_file import onnx_runtime_answers, write_onnx
from dogbreed.exporting.program import Program
from dogbreed.exporting.torch_export_file import torch_export_answers, write_torch_export


@dataclass(frozen=True)
class Format:
    """One way to write a program, and to ask what was written.

    `usage` is three lines of code with places for `{file}` and `{output}`; `libraries` are those of the extra.
    """

    suffix: str
    write: Callable[[Program, Destination], None]
    answers: Callable[[Path, Sequence[Tensor]], list[Tensor]]
    usage: str
    libraries: tuple[str, ...] = ()


FORMATS = {
    "onnx": Format(
        ".onnx",
        write_onnx,
        onnx_runtime_answers,
        "import onnxruntime\nsession = onnxruntime.InferenceSession({file!r})\n"
        '({output},) = session.run(["{output}"], {{"images": images}})',
        ("onnx", "onnxscript", "onnxruntime"),
    ),
    "torch_export": Format(
        ".pt2",
        write_torch_export,
        torch_export_answers,
        "import torch\nmodel = torch.export.load({file!r}).module()\n{output} = model(torch.from_numpy(images))",
    ),
}


def known_format(name: str) -> Format:
    """The format of that name, if what it needs is installed.

    Raises:
        ConfigError: there is none, or a library is missing.
    """
    if name not in FORMATS:
        raise ConfigError(f"Expected format to be one of {', '.join(FORMATS)}, got {name!r}.")
    missing = [library for library in FORMATS[name].libraries if find_spec(library) is None]
    if missing:
        raise ConfigError(f'format={name} needs {" and ".join(missing)}: pip install -e ".[export]"')
    return FORMATS[name]
