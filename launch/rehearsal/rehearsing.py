"""Jobs run on a slice of their photos, and what they came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dogbreed.errors import DogbreedError
from launch.rehearsal.fault_lines import fault_line
from launch.rehearsal.job import prepare_job, run_job
from launch.rehearsal.objective import metric_faults, read_metrics
from launch.rehearsal.running import Ended, RunningJob
from launch.rehearsal.serving import any_photo, ask_model, check_artifact
from launch.rehearsal.short_run import shortened
from launch.rehearsal.trials import objective_name
from launch.requests.request import Request


@dataclass(frozen=True)
class Rehearsal:
    """A job on a slice of its photos.

    Attributes:
        archive: of the source.
        channels: folders of the slice, by channel.
        toolkit: of `toolkit_environment`.
        folder: gets what the job leaves.
        cache_dir: that the run may keep things in.
        show: gets the lines of the log, and what is done.
        seconds: after which a job is ended.
    """

    archive: bytes
    channels: Mapping[str, Path]
    toolkit: Path
    folder: Path
    cache_dir: Path
    show: Callable[[str], None]
    seconds: float

    def training(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """What a training job came to: members of `Rehearsed`."""
        running, ended = self._run(job, "job")
        if not ended.succeeded:
            return {"faults": [fault_line(ended)]}
        values = read_metrics(ended.lines, _definitions(job))
        artifact, answer, faults = self._asked(running)
        return {
            "faults": [*metric_faults(values, None), *faults],
            "metrics": _last(values),
            "artifact": artifact,
            "answer": answer,
        }

    def tuning(self, request: Request, jobs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the trials of a tuning job came to: members of `Rehearsed`."""
        objective = objective_name(request.parameters)
        faults: list[str] = []
        metrics: dict[str, float] = {}
        for number, job in enumerate(jobs, 1):
            self.show(f"Trial {number} of {len(jobs)}: {_tuned(request, job)}")
            _, ended = self._run(job, f"trial-{number}")
            values = read_metrics(ended.lines, _definitions(job))
            faults += metric_faults(values, objective) if ended.succeeded else [fault_line(ended)]
            metrics |= {
                f"{name} of trial {number}": value for name, value in _last(values).items() if name == objective
            }
        return {"faults": list(dict.fromkeys(faults)), "metrics": metrics}

    def _run(self, job: Mapping[str, Any], name: str) -> tuple[RunningJob, Ended]:
        job, folder = shortened(job, self.archive), self.folder / name
        running = prepare_job(job, self.archive, self.channels, folder, toolkit=self.toolkit, cache_dir=self.cache_dir)
        return running, run_job(job, running, self.show, seconds=self.seconds)

    def _asked(self, job: RunningJob) -> tuple[Path | None, str, list[str]]:
        model, photo = job.hosts[0].model, any_photo(self.channels.values())
        try:
            check_artifact(model)
            if photo is None:
                return model, "", []
            answer = ask_model(model, photo, job.pythons[0], job.variables[0])
        except DogbreedError as error:
            return None, "", [str(error)]
        self.show(f"The model was asked about {photo.name} as an endpoint would be: {answer}")
        return model, answer, []


def _definitions(job: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    found: Sequence[Mapping[str, str]] = job["AlgorithmSpecification"].get("MetricDefinitions", [])
    return found


def _last(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: found[-1] for name, found in values.items() if found}


def _tuned(request: Request, job: Mapping[str, Any]) -> str:
    shared = request.parameters["TrainingJobDefinition"].get("StaticHyperParameters", {})
    own = {name: text for name, text in job["HyperParameters"].items() if name not in shared and name[0] != "_"}
    return ", ".join(f"{name.replace('__', '.')}={text}" for name, text in own.items())
