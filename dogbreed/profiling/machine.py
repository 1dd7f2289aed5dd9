"""Processor, memory, disk and network, by psutil."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dogbreed.errors import ConfigError
from dogbreed.profiling.gauge import Gauge, PerSecond, Reading

# Linux counts the time of guests a second time, in user and nice.
COUNTED_TWICE = ("guest", "guest_nice")


def machine_gauges() -> list[Gauge]:
    """What can be read from any machine.

    Raises:
        ConfigError: psutil is not installed.
    """
    try:
        import psutil  # noqa: F401
    except ImportError as error:
        raise ConfigError('The profiler needs psutil: pip install -e ".[profiler]", or profiler=off.') from error
    return [Cores(), memory, Disk(), Network()]


class Cores:
    """How busy each core is, and how long it waits for the disk, in percent of the time since the last call.

    As psutil's `cpu_percent`: a core that waits for the disk is not busy.
    """

    def __init__(self) -> None:
        self._speed = PerSecond()

    def __call__(self, now: float) -> Iterator[Reading]:
        """Two readings a core; nothing at the first call, and no waiting where the system does not count it."""
        import psutil

        cores: list[Any] = psutil.cpu_times(percpu=True)
        fields = cores[0]._fields
        speeds = self._speed(now, [seconds for core in cores for seconds in core])
        for core in range(len(speeds) // len(fields)):
            spent = dict(zip(fields, speeds[core * len(fields) : (core + 1) * len(fields)], strict=True))
            yield from _core_readings(f"cpu{core}", spent)


def _core_readings(name: str, spent: dict[str, float]) -> Iterator[Reading]:
    total = sum(seconds for kind, seconds in spent.items() if kind not in COUNTED_TWICE)
    if total > 0:
        idle = spent["idle"] + spent.get("iowait", 0.0)
        yield Reading("cpu", name, "CPUUtilization", 100.0 * (total - idle) / total)
        if "iowait" in spent:
            yield Reading("cpu", name, "I/OWaitPercentage", 100.0 * spent["iowait"] / total)


def memory(_: float) -> Iterator[Reading]:
    """How much of the memory is used, in percent."""
    import psutil

    yield Reading("memory", "MemoryUsedPercent", "", psutil.virtual_memory().percent)


class Disk:
    """Operations, and bytes read and written, a second, of all disks together."""

    NAMES = ("IOPS", "ReadThroughputInBytesPerSecond", "WriteThroughputInBytesPerSecond")

    def __init__(self) -> None:
        self._speed = PerSecond()

    def __call__(self, now: float) -> Iterator[Reading]:
        """Three readings; nothing at the first call."""
        import psutil

        if counted := psutil.disk_io_counters():
            counters = [counted.read_count + counted.write_count, counted.read_bytes, counted.write_bytes]
            for name, speed in zip(self.NAMES, self._speed(now, counters), strict=False):
                yield Reading("i/o", name, "", speed)


class Network:
    """Bytes received and sent a second, of all connections of the machine together."""

    NAMES = ("ReceiveBytesPerSecond", "TransmitBytesPerSecond")

    def __init__(self) -> None:
        self._speed = PerSecond()

    def __call__(self, now: float) -> Iterator[Reading]:
        """Two readings; nothing at the first call."""
        import psutil

        counted = psutil.net_io_counters()
        speeds = self._speed(now, [counted.bytes_recv, counted.bytes_sent])
        for name, speed in zip(self.NAMES, speeds, strict=False):
            yield Reading("network", name, "Algorithm", speed)
