from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dogbreed.artifacts import load_artifact
from tests.drawn_photos import draw_folder
from tests.job.small_job import QUICK, SmallJob, start_together, status, wait_for

# Without batch norm, whose statistics are those of a process's own photos, and without anything random: what two
# processes see together in a step is then what one of them would see with twice the batch.
PLAIN = (*QUICK, "model.backbone=squeezenet1_1", "model.image_size=64", "data.augmentation=none", "model.warmup=0")
TOLERANCE = 1e-5  # relative: sums of another order


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    photos = draw_folder(tmp_path_factory.mktemp("photos") / "photos")
    return {name: photos / name for name in ("train", "valid", "test")}


@pytest.fixture(scope="module")
def two(channels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> SmallJob:
    """A job of two processes, started as SageMaker's toolkit does it."""
    job = SmallJob(tmp_path_factory.mktemp("two") / "ml", channels, overrides=[*PLAIN, "data.batch_size=4"])
    code, variables = job.prepare(), {**os.environ, **job.variables(), "PYTHONPATH": os.pathsep.join(sys.path)}
    launch = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "1", "--nproc_per_node", "2"]
    with job.log.open("w") as log:
        command = [*launch, "container_entry.py", "--model__dropout", "0"]
        run = subprocess.run(command, cwd=code, env=variables, stdout=log, stderr=log, check=False)
    assert run.returncode == 0, job.output
    return job


def history(job: SmallJob) -> list[dict[str, float]]:
    with (job.base / "output/data/history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def printed(job: SmallJob, start: str) -> Sequence[str]:
    return [line for line in job.output.splitlines() if line.startswith(start)]


@pytest.mark.slow
def test_two_processes_train_as_one_with_twice_the_batch_and_leave_one_model(
    two: SmallJob, channels: dict[str, Path], tmp_path: Path
) -> None:
    one = SmallJob(tmp_path / "one", channels, overrides=PLAIN)
    assert one.run() == 0, one.output
    expected = history(one)
    assert expected[1]["train/loss"] != pytest.approx(expected[0]["train/loss"], rel=1e-3)
    for row, alone in zip(history(two), expected, strict=True):
        assert row == pytest.approx(alone, rel=TOLERANCE)
    for line in ("epoch   1/2", "epoch   2/2", "Model: squeezenet1_1", "Test (", "Machine: "):
        assert len(printed(two, line)) == 1, two.output
    assert load_artifact(two.base / "model").class_names == load_artifact(one.base / "model").class_names
    assert not (two.base / "output/failure").exists()


@pytest.mark.slow
def test_processes_of_which_one_gets_a_signal_stop_together_and_go_on_as_if_nothing_had_been(
    two: SmallJob, tmp_path: Path
) -> None:
    job = replace(two, base=tmp_path / "ml")
    first, second = start_together(job, job)
    wait_for(lambda: list(job.run_dir.glob("checkpoints/resume-*.ckpt")))
    os.kill(second.pid or 0, signal.SIGTERM)
    assert [status(first), status(second)] == [143, 143], job.output
    again = start_together(job, job)
    assert [status(process) for process in again] == [0, 0], job.output
    assert len(printed(job, "Resuming from")) == 1
    assert history(job) == history(two)


@pytest.mark.slow
def test_hosts_with_different_checkpoints_are_told_and_do_not_wait_for_one_another(
    two: SmallJob, tmp_path: Path
) -> None:
    first, second = replace(two, base=tmp_path / "first"), replace(two, base=tmp_path / "second")
    shutil.copytree(two.run_dir / "checkpoints", first.run_dir / "checkpoints")
    config = (two.run_dir / "config.yaml").read_text()
    (first.run_dir / "config.yaml").write_text(config.replace(str(two.base), str(first.base)))
    assert [status(process) for process in start_together(first, second)] == [1, 1]
    for job in (first, second):
        assert job.failure.startswith("Expected every process to go on from the same checkpoint, got steps 0 to ")
