"""One photo behind an endpoint: how long it takes, and how many a second with several clients.

    python benchmarks/serving.py torchserve=TS rounds=5 single=40 loaded=160 clients=16

ResNet-50 with random weights is served by TorchServe through SageMaker's toolkit with the handler that is usually
written (`serving_sides/plain_inference.py`), and by `python -m dogbreed.serve` with several backends. All servers run
at once and are asked in turn, round after round. TS is a virtual environment (Java 17 beside it):

    python3 -m venv TS
    TS/bin/pip install torch==2.6.0 torchvision==0.21.0 torchserve==0.12.0 sagemaker-inference==1.10.1 \
        sagemaker-pytorch-inference==2.0.25 pyyaml "setuptools<82"

width and height are those of the photo, or photo=FILE is sent. A table in Markdown is printed.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from serving_sides.asking import Waits, ask
from serving_sides.one_model import drawn_photo, write_models
from serving_sides.servers import ours, torchserve

from dogbreed.options import only_options

LIBRARIES = ("torch", "torchvision", "pillow", "openvino", "onnxruntime", "starlette", "uvicorn")
PLAIN = "TorchServe, plain handler"


@dataclass(frozen=True)
class Options:
    """The `key=value` arguments."""

    torchserve: str = ""
    workers: int = field(default=0, metadata={"least": 0})
    backends: str = "auto,float32,openvino-bfloat16"
    photo: str = ""
    width: int = field(default=500, metadata={"least": 1})
    height: int = field(default=375, metadata={"least": 1})
    rounds: int = field(default=5, metadata={"least": 1})
    single: int = field(default=40, metadata={"least": 2})
    loaded: int = field(default=160, metadata={"least": 2})
    clients: int = field(default=16, metadata={"least": 1})


@dataclass
class Measured:
    """Of one side: the waits of a client that is alone, and of several."""

    alone: Waits = field(default_factory=Waits)
    together: Waits = field(default_factory=Waits)


def measure(options: Options) -> dict[str, Measured]:
    """Start every side, and ask them in turn."""
    photo = Path(options.photo).read_bytes() if options.photo else drawn_photo(options.width, options.height)
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        ports = started(options, Path(temporary), stack)
        for port in ports.values():
            ask(port, photo, options.clients, options.clients, Waits())
        found = {side: Measured() for side in ports}
        for _ in range(options.rounds):
            for side, port in ports.items():
                ask(port, photo, options.single, 1, found[side].alone)
                ask(port, photo, options.loaded, options.clients, found[side].together)
    return found


def started(options: Options, folder: Path, stack: ExitStack) -> dict[str, int]:
    """The port of each side, by its name."""
    artifact, base = write_models(folder)
    ports = {}
    if options.torchserve:
        environment = Path(options.torchserve).absolute()
        ports[PLAIN] = stack.enter_context(torchserve(base, environment, folder / "ts", options.workers))
    for backend in options.backends.split(","):
        ports[f"dogbreed.serve, {backend}"] = stack.enter_context(ours(artifact, backend, folder / backend))
    return ports


def table(found: Mapping[str, Measured], clients: int) -> str:
    """In Markdown; the ratios are to the first side."""
    first = next(iter(found.values()))
    head = f"| | p50 ms | p99 ms | times | photos/s, {clients} clients | p50 ms | p99 ms | times |"
    rows = [head, "|---|" + "---|" * 7]
    for side, measured in found.items():
        faster = first.alone.percentile(50) / measured.alone.percentile(50)
        alone = f"{measured.alone.percentile(50):.1f} | {measured.alone.percentile(99):.1f} | {faster:.2f}"
        waits = f"{measured.together.percentile(50):.0f} | {measured.together.percentile(99):.0f}"
        more = measured.together.rate / first.together.rate
        rows.append(f"| {side} | {alone} | {measured.together.rate:.1f} | {waits} | {more:.2f} |")
    return "\n".join(rows)


def machine(options: Options) -> str:
    """What the figures were measured on, and with."""
    with Path("/proc/cpuinfo").open() as file:
        processors = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    known = [f"{name} {_version(name)}" for name in LIBRARIES]
    other = f" TorchServe's environment: {_environment(options.torchserve)}." if options.torchserve else ""
    return f"{len(processors)} x {processors[0]}, Python {platform.python_version()}, {', '.join(known)}.{other}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _environment(folder: str) -> str:
    command = [str(Path(folder) / "bin/python"), "-m", "pip", "list", "--format=freeze"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return ", ".join(one.replace("==", " ") for one in listed if one.startswith(("torch", "sagemaker", "pillow")))


def main() -> None:
    """Measure and print."""
    options = only_options(Options, sys.argv[1:])
    found = measure(options)
    print(f"{machine(options)}\n\n{table(found, options.clients)}")


if __name__ == "__main__":
    main()
