"""A job's container contract on this machine: what would fail on AWS fails here, in about a minute, unpaid."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dogbreed.data.lock import locked
from launch.rehearsal.environment import toolkit_environment
from launch.rehearsal.photo_slice import photo_slice
from launch.rehearsal.rehearsing import Rehearsal
from launch.rehearsal.trials import training_jobs
from launch.requests.request import Request

__all__ = ["Rehearsed", "rehearse"]

# Of a job on a slice of the photos, in seconds.
LONGEST = 1800.0


@dataclass(frozen=True)
class Rehearsed:
    """What a rehearsal found.

    Attributes:
        faults: a sentence each; none where the job would have run.
        metrics: of a training job, or the objective of each trial as `<metric> of trial <number>`: the last of the log.
        artifact: the folder that would become `model.tar.gz`; None where there is none, as of a trial.
        answer: the breed that the model gave a photo; empty where there is no model.
        seconds: that it took.
    """

    faults: Sequence[str]
    metrics: Mapping[str, float] = field(default_factory=dict)
    artifact: Path | None = None
    answer: str = ""
    seconds: float = 0.0


def rehearse(
    request: Request,
    archive: bytes,
    channels: Mapping[str, Path],
    *,
    cache_dir: Path,
    show: Callable[[str], None],
    seconds: float = LONGEST,
) -> Rehearsed:
    """Run the very job that would be sent, by SageMaker's own training toolkit, on a few photos and for two epochs.

    A tuning job is three of its trials; several hosts are two processes of this machine. Then the model is asked about
    a photo, as an endpoint would ask it. What it leaves stays in `cache_dir` until the next rehearsal.

    Args:
        request: `CreateTrainingJob` or `CreateHyperParameterTuningJob`.
        archive: of the source.
        channels: folders on this machine, by channel.
        cache_dir: of what is kept between runs.
        show: gets the lines of the log, and what is done.
        seconds: after which a job is ended.

    Raises:
        ConfigError: the toolkit cannot be installed, or a channel has no folder here.
    """
    began = time.monotonic()
    toolkit = toolkit_environment(cache_dir, show)
    jobs = training_jobs(request)
    folder = cache_dir / "rehearsal" / jobs[0]["TrainingJobName"]
    with locked(folder, lambda: show("Another rehearsal of this job is running; waiting for it.")):
        shutil.rmtree(folder, ignore_errors=True)
        _forget_others(folder)
        show("Rehearsing on a few photos a class, for two epochs at most; all else is what would be sent.")
        photos = photo_slice(channels, folder / "photos")
        rehearsal = Rehearsal(archive, photos, toolkit, folder, cache_dir, show, seconds)
        is_search = request.operation == "CreateHyperParameterTuningJob"
        found = rehearsal.tuning(request, jobs) if is_search else rehearsal.training(jobs[0])
    return Rehearsed(**found, seconds=time.monotonic() - began)


class _BusyError(Exception):
    pass


def _forget_others(folder: Path) -> None:
    """Remove what rehearsals of other jobs have left, but for those that are running."""

    def busy() -> None:
        raise _BusyError

    for other in sorted(path for path in folder.parent.iterdir() if path.is_dir() and path != folder):
        with suppress(_BusyError), locked(other, busy):
            shutil.rmtree(other, ignore_errors=True)
