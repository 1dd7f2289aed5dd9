"""`profiler-report.html`: where a run's time went, on one page."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dogbreed.atomic import write_text
from dogbreed.debugging.finding import Finding
from dogbreed.profiling.advice import advise
from dogbreed.profiling.readings import Readings, read
from dogbreed.profiling.step_records import Array, StepRecords
from dogbreed.profiling.system_readings import SystemReadings
from dogbreed.reporting.profiler_contents import (
    MachineLoad,
    Operator,
    Phase,
    Points,
    ProfilerContents,
    StepPart,
    StepTime,
)

PAGE = "profiler-report.html"
WORDS = {"data": "waiting for photos", "forward": "forward", "backward": "backward", "optimizer": "optimizer"}
PAUSE = 1.0  # seconds without a step after which training counts as interrupted, where nothing says what came between


def write_page(path: Path, folder: Path, findings: list[Finding], *, title: str) -> None:
    """Draw what a run left in its profiler's folder.

    Args:
        path: of the page.
        folder: of the profiler.
        findings: of the rules.
        title: of the page.

    Raises:
        OSError: the page could not be written.
    """
    from dogbreed.reporting.profiler_page import render_profiler_page

    write_text(path, render_profiler_page(contents(read(folder)[0], findings, title=title)))


def contents(readings: Readings, findings: list[Finding], *, title: str) -> ProfilerContents:
    """The page of one machine, as plain data; times count from its first sample or step."""
    system, steps = readings.system, readings.steps
    begins = [*system.times[:1], *steps.starts[:1]]
    zero = float(min(begins, default=0.0))
    return ProfilerContents(
        title=title,
        advice=advise(readings),
        rules=findings,
        step_parts=list(_parts(steps)),
        step_times={
            "training": [
                StepTime(int(step), float(start - zero), float(seconds))
                for step, start, seconds in zip(steps.steps, steps.starts, steps.total, strict=True)
            ]
        },
        load=_load(system, zero),
        phases=sorted([*_training(steps, zero), *_between(steps, zero)], key=lambda phase: phase.start),
        operators=[_operator(row) for row in _rows(readings.operators)],
        facts=_facts(readings),
    )


def _parts(steps: StepRecords) -> Iterator[StepPart]:
    whole = max(float(steps.total.sum()), 1e-9)
    parts = {WORDS[name]: seconds for name, seconds in steps.parts.items()}
    parts["other"] = np.maximum(0.0, steps.total - sum(steps.parts.values(), np.zeros(len(steps))))
    for name, seconds in parts.items():
        if len(seconds):
            yield StepPart(name, float(np.median(seconds)), float(seconds.sum()) / whole)


def _training(steps: StepRecords, zero: float) -> Iterator[Phase]:
    """From the first to the last of steps that follow each other without a pause."""
    if not len(steps):
        return
    starts, ends = steps.starts - zero, steps.starts + steps.total - zero
    pauses = np.flatnonzero(starts[1:] - ends[:-1] > PAUSE) + 1
    for positions in np.split(np.arange(len(steps)), pauses):
        yield Phase("training", float(starts[positions[0]]), float(ends[positions[-1]]))


def _between(steps: StepRecords, zero: float) -> Iterator[Phase]:
    for name, spans in steps.between.items():
        for begun, seconds in spans:
            yield Phase(name, float(begun - zero), float(begun + seconds - zero))


def _load(system: SystemReadings, zero: float) -> MachineLoad:
    def points(values: Array) -> Points:
        pairs = zip(system.times - zero, values, strict=True)
        return [(float(at), float(value)) for at, value in pairs if np.isfinite(value)]

    def of_cores(dimension: str, over: Any) -> Points:
        return points(over(system.stacked(dimension), axis=0)) if system.of(dimension) else ()

    memory = system.of("").get("MemoryUsedPercent")
    return MachineLoad(
        cpu=of_cores("CPUUtilization", np.mean),
        busiest_core=of_cores("CPUUtilization", np.max),
        io_wait=of_cores("I/OWaitPercentage", np.mean),
        memory=() if memory is None else points(memory),
        gpus={name: points(values) for name, values in system.of("GPUUtilization").items()},
        gpu_memory={name: points(values) for name, values in system.of("GPUMemoryUtilization").items()},
    )


def _rows(operators: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each operator once, whichever table it stands in."""
    rows = [*operators.get("by_self_time", ()), *operators.get("by_self_memory", ())]
    return list({row["name"]: row for row in rows}.values())


def _operator(row: Mapping[str, Any]) -> Operator:
    return Operator(row["name"], row["calls"], row["self_ms"] / 1000, row["share"], row["memory_bytes"])


def _facts(readings: Readings) -> dict[str, str]:
    times, workers = readings.system.times, readings.steps.workers
    facts = {"Machine": f"{platform.machine()}, {os.cpu_count()} cores", "Steps": f"{len(readings.steps):,}"}
    if len(times) > 1:
        facts["Samples"] = f"{len(times):,}, one every {np.median(np.diff(times)):.2g} s"
    if workers is not None:
        facts["Loading processes"] = str(workers)
    if readings.operators:
        facts["Operators"] = f"of {readings.operators['steps']} steps from step {readings.operators['first_step']} on"
    return facts
