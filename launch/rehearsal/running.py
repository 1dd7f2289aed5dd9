"""The hosts of a job as processes of this machine, from their start to their end, whatever ends them."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from launch.rehearsal.descendants import descendants
from launch.rehearsal.hosts import Host

# `train` of the image; by Python, since a script's first line may not hold so long a path.
TRAIN = ("-m", "sagemaker_training.cli.train")
# For a signal to be heeded, in seconds.
GRACE = 5.0
TICK = 0.2


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Attributes:
        lines: of its log.
        failure: what stands in a host's `output/failure`; None where there is no such file.
        succeeded: whether all hosts said so, and left with 0.
        timed_out: whether it was ended for taking too long.
        seconds: that it took.
    """

    lines: Sequence[str]
    failure: str | None
    succeeded: bool
    timed_out: bool
    seconds: float


@dataclass
class RunningJob:
    """A job on this machine.

    Args:
        hosts: laid out.
        pythons: of each host's environment.
        variables: of each host's.
    """

    hosts: Sequence[Host]
    pythons: Sequence[Path]
    variables: Sequence[Mapping[str, str]]
    lines: list[str] = field(default_factory=list)
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)
    _queue: queue.Queue[str] = field(default_factory=queue.Queue)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, show: Callable[[str], None], *, seconds: float) -> Ended:
        """Start the hosts, and hand on each line of their log until the last has ended.

        Nothing of the job is left running, even where this is interrupted.

        Args:
            show: gets the lines.
            seconds: after which the job is ended.
        """
        began = time.monotonic()
        try:
            readers = [self._start(*host) for host in zip(self.hosts, self.pythons, self.variables, strict=True)]
            timed_out = False
            while not (timed_out or self._stopped.is_set() or self._over(readers)):
                self._hand_on(show)
                timed_out = time.monotonic() - began > seconds
        finally:
            self.stop()
        self._hand_on(show)
        return self._ended(timed_out=timed_out, seconds=time.monotonic() - began)

    def stop(self) -> None:
        """End what is still running, asked first, then killed; another thread may call it at any time."""
        self._stopped.set()
        running = [process for process in self._processes if process.poll() is None]
        below = [pid for process in running for pid in descendants(process.pid)]
        for process in running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0))
        for process in running:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        for pid in below:
            # torchrun gives each of its processes a group of its own.
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for process in self._processes:
            process.wait()

    def _start(self, host: Host, python: Path, variables: Mapping[str, str]) -> threading.Thread:
        process = subprocess.Popen(  # noqa: S603
            [str(python), *TRAIN],
            env=dict(variables),
            cwd=host.base,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._processes.append(process)
        reader = threading.Thread(target=self._read, args=(process, self._prefix(host)), daemon=True)
        reader.start()
        return reader

    def _prefix(self, host: Host) -> str:
        return f"{host.base.name}: " if len(self.hosts) > 1 else ""

    def _read(self, process: subprocess.Popen[str], prefix: str) -> None:
        if process.stdout is not None:
            with process.stdout as lines:
                for line in lines:
                    self._queue.put(prefix + line.rstrip("\n"))

    def _hand_on(self, show: Callable[[str], None]) -> None:
        with suppress(queue.Empty):
            line = self._queue.get(timeout=TICK)
            while True:
                self.lines.append(line)
                show(line)
                line = self._queue.get_nowait()

    def _over(self, readers: Sequence[threading.Thread]) -> bool:
        """Whether all hosts have ended, or one has failed: the others would wait for it, and SageMaker ends them."""
        statuses = [process.poll() for process in self._processes]
        for process, status in zip(self._processes, statuses, strict=True):
            if status is not None:
                # A container ends with its first process.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
        silent = [not reader.is_alive() for reader in readers]
        return all(silent) or any(status and ended for status, ended in zip(statuses, silent, strict=True))

    def _ended(self, *, timed_out: bool, seconds: float) -> Ended:
        reasons = [text for host in self.hosts if (text := _text(host.base / "output/failure")) is not None]
        succeeded = all((host.base / "output/success").exists() for host in self.hosts)
        statuses = [process.returncode for process in self._processes]
        return Ended(
            lines=tuple(self.lines),
            failure=reasons[0] if reasons else None,
            succeeded=succeeded and not any(statuses),
            timed_out=timed_out,
            seconds=seconds,
        )


def _text(path: Path) -> str | None:
    return path.read_text(errors="replace") if path.exists() else None
