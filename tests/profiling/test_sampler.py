from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from dogbreed.errors import ConfigError
from dogbreed.profiling.event_files import EventFiles
from dogbreed.profiling.gauge import Reading
from dogbreed.profiling.layout import SYSTEM
from dogbreed.profiling.machine import Cores
from dogbreed.profiling.sampler import Sampler
from dogbreed.profiling.system_readings import read_system

MINUTE = 1_700_000_040.0


def wait_for_samples(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if sum(len(node.times) for node in read_system(folder)) >= count:
            return
        time.sleep(0.02)
    raise TimeoutError


def test_every_sample_has_what_this_machine_can_tell(tmp_path: Path) -> None:
    with Sampler(tmp_path, interval=0.1):
        wait_for_samples(tmp_path, 3)
    (system,) = read_system(tmp_path)
    assert list(system.of("CPUUtilization")) == [f"cpu{core}" for core in range(psutil.cpu_count())]
    assert {"MemoryUsedPercent"} <= system.of("").keys()
    assert list(system.of("Algorithm")) == ["ReceiveBytesPerSecond", "TransmitBytesPerSecond"]
    percent = np.concatenate([system.stacked("CPUUtilization"), system.stacked("I/OWaitPercentage")])
    assert np.all((percent >= 0) & (percent <= 100))
    assert np.all(np.diff(system.times) > 0)


def test_each_line_has_the_services_fields(tmp_path: Path) -> None:
    with Sampler(tmp_path, interval=0.1):
        wait_for_samples(tmp_path, 2)
    files = sorted((tmp_path / SYSTEM).glob("*/*.algo-1.json"))
    for line in files[0].read_text().splitlines():
        event = json.loads(line)
        assert list(event) == ["Type", "Name", "Dimension", "Value", "NodeId", "Timestamp"]
        assert event["NodeId"] == "algo-1"
        assert event["Timestamp"] >= int(files[0].name.split(".")[0])


def test_the_cores_are_as_busy_as_psutil_says() -> None:
    cores = Cores()
    list(cores(0.0))
    psutil.cpu_percent(percpu=True)
    time.sleep(1.0)
    expected = psutil.cpu_percent(percpu=True)
    busy = [reading.value for reading in cores(1.0) if reading.dimension == "CPUUtilization"]
    assert busy == pytest.approx(expected, abs=5)


def test_a_new_file_begins_with_each_minute(tmp_path: Path) -> None:
    files = EventFiles(tmp_path, "algo-2")
    for seconds in (MINUTE + 58.0, MINUTE + 59.5, MINUTE + 60.0):
        files.write(seconds, [Reading("cpu", "cpu0", "CPUUtilization", 12.345)])
    files.close()
    found = sorted((tmp_path / SYSTEM).glob("*/*"))
    assert [path.name for path in found] == ["1700000098.algo-2.json", "1700000100.algo-2.json"]
    assert [len(path.read_text().splitlines()) for path in found] == [2, 1]
    assert found[0].parent.name == "2023111422"
    (system,) = read_system(tmp_path)
    assert system.node == "algo-2"
    assert system.times.tolist() == [MINUTE + 58.0, MINUTE + 59.5, MINUTE + 60.0]


def test_what_cannot_be_read_is_left_out_and_the_rest_is_written(tmp_path: Path) -> None:
    class Broken:
        def __call__(self, now: float) -> list[Reading]:
            raise NotImplementedError

    sampler = Sampler(tmp_path, interval=0.1)
    sampler._gauges = [Broken(), lambda now: [Reading("memory", "MemoryUsedPercent", "", now)]]
    with sampler:
        wait_for_samples(tmp_path, 2)
    (system,) = read_system(tmp_path)
    assert list(system.series) == [""]


def test_a_folder_that_cannot_be_written_to_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "system").write_text("a file where a folder should be")
    with Sampler(tmp_path, interval=0.1):
        time.sleep(0.3)
        assert any(thread.name == "dogbreed-sampler" for thread in threading.enumerate())


def test_no_thread_is_left_and_it_can_begin_again(tmp_path: Path) -> None:
    sampler = Sampler(tmp_path, interval=0.1)
    for _ in range(2):
        sampler.start()
        sampler.start()
        sampler.stop()
        sampler.stop()
        assert not [thread for thread in threading.enumerate() if thread.name == "dogbreed-sampler"]


@pytest.mark.parametrize("interval", [0.0, -1.0, 0.05, float("nan")])
def test_a_senseless_interval_is_an_error(tmp_path: Path, interval: float) -> None:
    with pytest.raises(ConfigError, match=r"profiler\.interval"):
        Sampler(tmp_path, interval=interval)
