"""That nothing of a job is left running, whatever ends it; by a stand-in for the toolkit that only starts processes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from launch.rehearsal.hosts import Host
from launch.rehearsal.running import RunningJob

# Each in a session of its own, as torchrun starts them.
STARTS_ANOTHER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("started", child.pid, sep="=", flush=True)
time.sleep(600)
"""


def job(folder: Path, *programs: str) -> RunningJob:
    hosts, variables = [], []
    for number, program in enumerate(programs):
        base = folder / f"host-{number}"
        module = base / "sagemaker_training/cli"
        module.mkdir(parents=True)
        (base / "output").mkdir()
        (module / "train.py").write_text(program)
        hosts.append(Host(base, "algo-1"))
        variables.append({"PYTHONPATH": str(base)})
    return RunningJob(hosts, [Path(sys.executable)] * len(hosts), variables)


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().split()[2] != "Z"


def started(lines: list[str]) -> list[int]:
    return [int(line.partition("=")[2]) for line in lines if "started=" in line]


def assert_gone(lines: list[str]) -> None:
    assert started(lines)
    for pid in started(lines):
        deadline = time.monotonic() + 10
        while is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_running(pid)


def test_an_interruption_ends_what_the_job_has_started(tmp_path: Path) -> None:
    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        job(tmp_path, STARTS_ANOTHER).run(interrupting(lines), seconds=60)
    assert_gone(lines)


def interrupting(lines: list[str]) -> Callable[[str], None]:
    def show(line: str) -> None:
        lines.append(line)
        raise KeyboardInterrupt

    return show


def test_too_long_a_job_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    lines: list[str] = []
    ended = job(tmp_path, STARTS_ANOTHER).run(lines.append, seconds=1)
    assert ended.timed_out
    assert not ended.succeeded
    assert_gone(lines)


def test_a_host_that_fails_ends_those_that_wait_for_it(tmp_path: Path) -> None:
    lines: list[str] = []
    fails = "import time\nprint('failing', flush=True)\ntime.sleep(1)\nraise SystemExit(1)"
    ended = job(tmp_path, STARTS_ANOTHER, fails).run(lines.append, seconds=60)
    assert not ended.timed_out
    assert not ended.succeeded
    assert "host-1: failing" in lines
    assert_gone(lines)


def test_every_line_is_handed_on_and_success_is_what_the_toolkit_says(tmp_path: Path) -> None:
    program = "for number in range(1000): print(number)\nopen('output/success', 'w').close()"
    lines: list[str] = []
    ended = job(tmp_path, program).run(lines.append, seconds=60)
    assert lines == list(ended.lines) == [str(number) for number in range(1000)]
    assert ended.succeeded
    assert not job(tmp_path / "other", "print('left without a word')").run(lines.append, seconds=60).succeeded
