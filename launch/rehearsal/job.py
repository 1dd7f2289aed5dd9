"""One training job by SageMaker's own toolkit: files, environments, processes, and how it ended."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from dogbreed.data.lock import locked
from launch.rehearsal.child_variables import child_variables
from launch.rehearsal.environment import job_environment
from launch.rehearsal.running import Ended, RunningJob
from launch.rehearsal.service_files import write_service_files

# Several hosts of a job meet at the toolkit's port, which is the same for all jobs.
MEETING = "dogbreed-port-7777"


def prepare_job(
    job: Mapping[str, Any],
    archive: bytes,
    channels: Mapping[str, Path],
    folder: Path,
    *,
    toolkit: Path,
    cache_dir: Path,
    checkpoints: Path | None = None,
) -> RunningJob:
    """Lay out a training job, up to its start.

    Args:
        job: parameters of `CreateTrainingJob`.
        archive: of the source.
        channels: folders on this machine, by channel.
        folder: gets what the job leaves.
        toolkit: of `toolkit_environment`.
        cache_dir: that the run may keep things in.
        checkpoints: a folder of what an earlier attempt has left, which this one goes on with.

    Raises:
        ConfigError: a channel of the job has no folder on this machine.
    """
    hosts = write_service_files(job, archive, channels, folder, checkpoints=checkpoints)
    names = [host.name for host in hosts]
    pythons = [job_environment(host.base / "environment", toolkit) for host in hosts]
    variables = [
        child_variables(job, host.base, python, names) | {"DOGBREED_CACHE": str(cache_dir)}
        for host, python in zip(hosts, pythons, strict=True)
    ]
    return RunningJob(hosts, pythons, variables)


def run_job(job: Mapping[str, Any], prepared: RunningJob, show: Callable[[str], None], *, seconds: float) -> Ended:
    """Run a job that is prepared to its end.

    Args:
        job: parameters of `CreateTrainingJob`.
        prepared: of `prepare_job`.
        show: gets the lines of the log.
        seconds: after which the job is ended; before that, after its own `MaxRuntimeInSeconds`.
    """
    limit = min(seconds, job["StoppingCondition"].get("MaxRuntimeInSeconds", seconds))
    with _alone(prepared, show):
        return prepared.run(show, seconds=limit)


def _alone(prepared: RunningJob, show: Callable[[str], None]) -> AbstractContextManager[None]:
    if len(prepared.hosts) == 1:
        return nullcontext()
    place = Path(tempfile.gettempdir()) / MEETING
    return locked(place, lambda: show("Another job of several hosts is running here; waiting for it."))
