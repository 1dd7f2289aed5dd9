"""Servers of one model on the loopback, each in processes of its own, ended with the block."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SECONDS = 240  # for a server to begin
# The toolkit's `serve`, but for a file below /etc.
TOOLKIT = """
import sys
from sagemaker_pytorch_serving_container import serving, torchserve
torchserve.TS_CONFIG_FILE = sys.argv[1]
serving.main()
"""


@contextmanager
def torchserve(base: Path, environment: Path, folder: Path, workers: int) -> Iterator[int]:
    """The port of SageMaker's toolkit with TorchServe.

    Args:
        base: holds `model/` and `model/code/inference.py`.
        environment: the virtual environment with torchserve and the toolkits.
        folder: for its log and its files.
        workers: processes that compute; 0 for TorchServe's own choice.
    """
    port, metrics = free_port(), free_port()
    address = f"http://127.0.0.1:{port}"
    told = {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": f"{environment / 'bin'}:{os.defpath}",
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "TS_INFERENCE_ADDRESS": address,
        "TS_MANAGEMENT_ADDRESS": address,
        "TS_METRICS_ADDRESS": f"http://127.0.0.1:{metrics}",
        **({"SAGEMAKER_MODEL_SERVER_WORKERS": str(workers)} if workers else {}),
    }
    command = [str(environment / "bin/python"), "-c", TOOLKIT, str(folder / "ts.properties")]
    with _running(command, told, folder) as process:
        yield _answering(process, port, folder)


@contextmanager
def ours(artifact: Path, backend: str, folder: Path) -> Iterator[int]:
    """The port of `python -m dogbreed.serve`."""
    port = free_port()
    command = [sys.executable, "-m", "dogbreed.serve", f"model={artifact}", f"port={port}", f"backend={backend}"]
    with _running(command, os.environ, folder) as process:
        yield _answering(process, port, folder)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answering(process: subprocess.Popen[bytes], port: int, folder: Path) -> int:
    until = time.monotonic() + SECONDS
    while not _pinged(port):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"The server did not start: {(folder / 'log.txt').read_text(errors='replace')[-3000:]}")
        time.sleep(0.2)
    return port


def _pinged(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def _running(command: Sequence[str], variables: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(parents=True)
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command, env=dict(variables), cwd=folder, stdout=log, stderr=log, start_new_session=True
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
