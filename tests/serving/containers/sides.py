r"""The servers that a model answers by, each started as its container starts it, on the loopback interface.

TorchServe and Ray Serve are installed in environments of their own, that two variables name:

    python3 -m venv TS && TS/bin/pip install torch==2.6.0 torchvision==0.21.0 safetensors torchserve==0.12.0 \
        sagemaker-inference==1.10.1 sagemaker-pytorch-inference==2.0.25 pyyaml "setuptools<82"     # and Java 17
    python3.13 -m venv RAY && RAY/bin/pip install torch==2.10.0 torchvision==0.25.0 safetensors "ray[serve]==2.59.0"
    DOGBREED_TORCHSERVE_ENVIRONMENT=TS DOGBREED_RAY_ENVIRONMENT=RAY python -m pytest tests/serving/containers
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import dogbreed
from dogbreed.data.lock import locked
from tests.serving.containers.adapter import Adapter

TORCHSERVE, RAY = "DOGBREED_TORCHSERVE_ENVIRONMENT", "DOGBREED_RAY_ENVIRONMENT"
SECONDS = 180  # for a server to begin
# The toolkit's `serve`, but for a file below /etc.
TOOLKIT = """
import sys
from sagemaker_pytorch_serving_container import serving, torchserve
torchserve.TS_CONFIG_FILE = sys.argv[1]
serving.main()
"""
# `ray start`, `serve start` and `serve run $SM_RAYSERVE_APP` of the container, in one process that can be ended.
CLUSTER = """
import importlib, os, sys
import ray
from ray import serve
ray.init(num_cpus=1, include_dashboard=False, object_store_memory=10**8, _node_ip_address="127.0.0.1",
         _temp_dir=os.environ["TMPDIR"])
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
module, _, name = os.environ["SM_RAYSERVE_APP"].partition(":")
serve.run(getattr(importlib.import_module(module), name), blocking=True)
"""


@dataclass(frozen=True)
class Side:
    """A server that has begun."""

    port: int

    def ask(
        self, body: bytes, media: str, accept: str = "application/json", path: str = "/invocations"
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, body, {"Content-Type": media, "Accept": accept})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ping(self) -> int:
        """The status of the health check; 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


@contextmanager
def torchserve(model: Path, folder: Path) -> Iterator[tuple[Side, subprocess.Popen[bytes]]]:
    """The model by TorchServe through SageMaker's inference toolkit; `model` is `ml/model` of a folder."""
    port, metrics = free_port(), free_port()
    here = dict.fromkeys(("TS_INFERENCE_ADDRESS", "TS_MANAGEMENT_ADDRESS"), f"http://127.0.0.1:{port}")
    told = {
        "SAGEMAKER_BASE_DIR": str(model.parent),
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        "TS_METRICS_ADDRESS": f"http://127.0.0.1:{metrics}",
        **here,
    }
    command = ["-c", TOOLKIT, str(folder / "ts.properties")]
    installed = environment(TORCHSERVE)
    # The toolkit knows its server by its name among all processes of the machine.
    with (
        locked(Path(tempfile.gettempdir()) / "dogbreed-torchserve"),
        _running(installed, command, told, folder) as process,
    ):
        yield Side(port), process


@contextmanager
def local_server(model: Path, folder: Path) -> Iterator[tuple[Side, subprocess.Popen[bytes]]]:
    """The model by `python -m dogbreed.serve`."""
    port, root = free_port(), Path(dogbreed.__file__).parents[1]
    command = ["-m", "dogbreed.serve", f"model={model}", f"port={port}"]
    with _running(Path(sys.prefix), command, {"PYTHONPATH": str(root)}, folder) as process:
        yield Side(port), process


@contextmanager
def ray(model: Path, folder: Path) -> Iterator[tuple[Side, subprocess.Popen[bytes]]]:
    """The model by Ray Serve, behind an adapter as its container has one."""
    port = free_port()
    told = {
        "PYTHONPATH": f"{model}:{model / 'code'}",
        "SM_RAYSERVE_APP": "ray_app:app",
        "DOGBREED_REPLICAS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    with (
        _running(environment(RAY), ["-c", CLUSTER, str(port)], told, folder) as process,
        Adapter(f"http://127.0.0.1:{port}/breeds") as adapter,
    ):
        yield Side(adapter.port), process


Started = AbstractContextManager[tuple[Side, subprocess.Popen[bytes]]]
SERVERS: dict[str, Callable[[Path, Path], Started]] = {"torchserve": torchserve, "ray": ray}


def environment(variable: str) -> Path:
    """The virtual environment that a variable names; the test is skipped where there is none."""
    if not os.environ.get(variable):
        pytest.skip(f"{variable} names no environment; tests/serving/containers/sides.py says how to make one")
    return Path(os.environ[variable])


def begun(side: Side, process: subprocess.Popen[bytes]) -> Side:
    """The side, as soon as it says that it is healthy."""
    until = time.monotonic() + SECONDS
    while side.ping() != 200:
        assert process.poll() is None, "The server has ended."
        assert time.monotonic() < until, "The server does not begin."
        time.sleep(0.2)
    return side


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _running(
    installed: Path, command: list[str], told: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(parents=True, exist_ok=True)
    variables = {"HOME": str(folder), "LANG": "C.UTF-8", "PATH": f"{installed / 'bin'}:{os.defpath}", **told}
    with (
        (folder / "log.txt").open("ab") as log,
        # The paths of sockets are longer than those of a test may be.
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as short,
    ):
        process = subprocess.Popen(
            [installed / "bin/python", *command],
            env={**variables, "TMPDIR": short},
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
