"""The process in which the public method is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dogbreed
from dogbreed.benchmarking.rounds import Side

MODULE = "dogbreed.benchmarking.public_method"
PATIENCE = 10.0  # seconds for a process to end by itself


class PublicProcess:
    """Asks a process of `public_method` for samples."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def side(self, name: str) -> Side:
        """What measures "loading", "forward", "step" or "serving" there; no samples once the process has ended."""

        def measured(seconds: float) -> list[float]:
            return self.ask([name, seconds])

        return measured

    def ask(self, question: Any) -> list[float]:
        """The answer to a question that JSON can hold; nothing once the process has ended."""
        if self._process.stdin is None or self._process.stdout is None:
            return []
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        # It ended: too little memory for a batch in float32, most often.
        except OSError:
            return []
        return [float(sample) for sample in json.loads(line)] if line else []


@contextmanager
def public_process(work: Mapping[str, Any]) -> Iterator[PublicProcess]:
    """A process that is asked within the block.

    Args:
        work: arguments of `dogbreed.benchmarking.public_method.PublicWork`.
    """
    found = [str(Path(dogbreed.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, found))},
    )
    public = PublicProcess(process)
    try:
        # Until it has imported torch: it would disturb what is measured first.
        public.ask(dict(work))
        yield public
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.communicate(timeout=PATIENCE)
    except (subprocess.TimeoutExpired, OSError):
        process.kill()
        process.communicate()
