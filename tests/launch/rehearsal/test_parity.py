"""That a job is the same run as one on this machine: its figures, after a kill, and on two hosts."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dogbreed.artifacts import load_artifact
from launch.rehearsal.descendants import descendants
from launch.rehearsal.job import prepare_job, run_job
from launch.rehearsal.running import Ended, RunningJob
from launch.requests.job_settings import JobSettings
from tests.drawn_photos import draw_folder
from tests.launch.rehearsal.jobs import QUICK, channels_of, project_archive, training_parameters

pytestmark = pytest.mark.slow

# In full precision, so that the order of additions is all that two hosts can differ by.
RUN = (
    "trainer.max_epochs=4",
    "trainer.precision=32-true",
    "callbacks.patience=null",
    "callbacks.checkpoint_seconds=0",
    "model.learning_rate=0.05",
    # Several hosts keep no features: they look at the photos in every epoch, and one host here does too.
    "model.cache=false",
)


@dataclass(frozen=True)
class Left:
    """What a run leaves to compare."""

    results: dict[str, Any]
    history: list[dict[str, str]]


def left(folder: Path) -> Left:
    with (folder / "history.csv").open() as file:
        return Left(json.loads((folder / "metrics.json").read_text()), list(csv.DictReader(file)))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def here(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """The run by `python -m dogbreed.train`."""
    folder = tmp_path_factory.mktemp("here")
    command = [sys.executable, "-m", "dogbreed.train", f"data.root={photos}", f"paths.output_dir={folder}/run"]
    cache = {"DOGBREED_CACHE": str(folder / "cache")}
    subprocess.run([*command, *QUICK, *RUN], check=True, env=os.environ | cache, capture_output=True)
    return left(folder / "run")


def prepared(
    job: Mapping[str, Any],
    photos: Path,
    folder: Path,
    toolkit: Path,
    *overrides: str,
    checkpoints: Path | None = None,
) -> RunningJob:
    return prepare_job(
        job,
        project_archive(*RUN, *overrides),
        channels_of(photos),
        folder / "job",
        toolkit=toolkit,
        cache_dir=folder / "cache",
        checkpoints=checkpoints,
    )


def test_a_job_whose_machine_is_taken_ends_with_the_figures_of_the_uninterrupted_run_here_to_the_last_digit(
    here: Left, photos: Path, tmp_path: Path, toolkit: Path
) -> None:
    job = training_parameters()
    running = prepared(job, photos, tmp_path, toolkit)
    killed = run_job(job, running, killing_at("epoch   2/"), seconds=200)
    assert not killed.succeeded
    assert "-9" in (killed.failure or "")
    kept = tmp_path / "kept"
    (running.hosts[0].base / "checkpoints").rename(kept)
    shutil.rmtree(tmp_path / "job")
    again = prepared(job, photos, tmp_path, toolkit, checkpoints=kept)
    ended = run_job(job, again, lambda _: None, seconds=200)
    assert ended.succeeded, ended.lines[-20:]
    assert epochs_of(ended)[0] > 1
    there = left(again.hosts[0].output)
    assert there.results["metrics"] == here.results["metrics"]
    assert figures(there) == figures(here)


def test_two_hosts_train_as_one_with_the_summed_batch_and_leave_one_artifact(
    here: Left, photos: Path, tmp_path: Path, toolkit: Path
) -> None:
    job = training_parameters(JobSettings(instance_type="ml.m5.xlarge", instance_count=2))
    running = prepared(job, photos, tmp_path, toolkit, "data.batch_size=4")
    ended = run_job(job, running, lambda _: None, seconds=280)
    assert ended.succeeded, ended.lines[-20:]
    first, second = running.hosts
    there = left(first.output)
    for name in ("train/loss", "val/loss"):
        assert column(there, name) == pytest.approx(column(here, name), rel=1e-5)
    assert there.results["metrics"]["test/loss"] == pytest.approx(here.results["metrics"]["test/loss"], rel=1e-5)
    assert load_artifact(first.model).class_names
    assert list(second.model.iterdir()) == []


def killing_at(beginning: str) -> Callable[[str], None]:
    """Kills the training process, and nothing else, when a line begins so."""

    def show(line: str) -> None:
        if line.startswith(beginning):
            for pid in descendants(os.getpid()):
                if b"container_entry.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)

    return show


def epochs_of(ended: Ended) -> list[int]:
    return [int(line.split()[1].split("/")[0]) for line in ended.lines if line.startswith("epoch ")]


def figures(run: Left) -> list[dict[str, str]]:
    return [{name: text for name, text in row.items() if "seconds" not in name} for row in run.history]


def column(run: Left, name: str) -> list[float]:
    return [float(row[name]) for row in run.history]
