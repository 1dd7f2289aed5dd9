"""What smdebug's own readers make of our files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dogbreed.profiling.event_files import EventFiles
from dogbreed.profiling.gauge import Reading
from dogbreed.profiling.readings import read
from tests.profiling.small_fit import fit

pytestmark = pytest.mark.filterwarnings("ignore")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("smdebug")
    algorithm = pytest.importorskip("smdebug.profiler.algorithm_metrics_reader")
    system_metrics = pytest.importorskip("smdebug.profiler.system_metrics_reader")
    pandas_frame = pytest.importorskip("smdebug.profiler.analysis.utils.profiler_data_to_pandas")

FOREVER = 4_000_000_000_000_000  # microseconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output_dir = tmp_path_factory.mktemp("run")
    fit(output_dir, loading=0.02, computing=0.01)
    return output_dir / "profiler"


def test_its_reader_sees_every_system_event(folder: Path) -> None:
    events = system_metrics.LocalSystemMetricsReader(str(folder)).get_events(0, FOREVER)
    (ours,) = read(folder)
    for dimension, series in ours.system.series.items():
        for name, values in series.items():
            theirs = [(e.timestamp, e.value) for e in events if (e.dimension, e.name) == (dimension, name)]
            assert theirs == list(zip(ours.system.times, values, strict=True))


def test_its_table_has_every_system_event(folder: Path) -> None:
    table = pandas_frame.PandasFrame(str(folder)).get_all_system_metrics()
    (ours,) = read(folder)
    for name, values in ours.system.of("CPUUtilization").items():
        rows = table[(table["dimension"] == "CPUUtilization") & (table["system_metric"] == name)]
        assert rows["value"].tolist() == values.tolist()
    assert set(table["type"]) >= {"cpu", "memory", "network"}
    assert set(table["nodeID"]) == {"algo-1"}


@pytest.mark.parametrize(
    ("phase", "part"),
    [
        ("DataLoaderIter", "data"),
        ("Forward", "forward"),
        ("Backward(post-forward)", "backward"),
        ("Optimizer", "optimizer"),
    ],
)
def test_its_reader_sees_every_part_of_a_step(folder: Path, phase: str, part: str) -> None:
    (ours,) = read(folder)
    theirs = of_phase(folder, phase)
    assert [int(event.event_args["step_num"]) for event in theirs] == ours.steps.steps.tolist()
    assert np.array([event.duration for event in theirs]) / 1e6 == pytest.approx(ours.steps.parts[part], abs=1e-9)


def test_its_reader_sees_every_step_and_what_lies_between(folder: Path) -> None:
    (ours,) = read(folder)
    theirs = of_phase(folder, "Step:ModeKeys.TRAIN")
    assert np.array([event.start_time for event in theirs]) / 1e6 == pytest.approx(ours.steps.starts, abs=1e-5)
    assert np.array([event.duration for event in theirs]) / 1e6 == pytest.approx(ours.steps.total, abs=1e-9)
    assert len(of_phase(folder, "Validation")) == 2
    assert len(of_phase(folder, "Checkpoint")) == 2
    assert {event.node_id.split("-", 1)[0] for event in theirs} == {"algo"}


def of_phase(folder: Path, phase: str) -> list[Any]:
    events = algorithm.LocalAlgorithmMetricsReader(str(folder)).get_events(0, FOREVER)
    return sorted((event for event in events if event.event_phase == phase), key=lambda event: event.start_time)


def test_its_table_has_every_step(folder: Path) -> None:
    table = pandas_frame.PandasFrame(str(folder)).get_all_framework_metrics(["Step:ModeKeys.TRAIN"])
    (ours,) = read(folder)
    assert sorted(table["step"]) == ours.steps.steps.tolist()


def test_its_table_has_the_steps_before_the_first_sample(tmp_path: Path) -> None:
    # The first file of the machine is named by when sampling began, not by the first sample an interval later.
    seconds = 1_600_000_000.9
    files = EventFiles(tmp_path, "algo-1")
    files.begin(seconds)
    files.write(seconds + 0.5, [Reading("cpu", "cpu0", "CPUUtilization", 1.0)])
    files.close()
    assert [path.name for path in tmp_path.rglob("*.json")] == ["1600000000.algo-1.json"]
