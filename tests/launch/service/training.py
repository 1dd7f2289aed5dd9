"""A submitted training job, run by the real toolkit: what SageMaker would say of it, and leave in S3."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from launch.rehearsal.configurations import SUBMIT_DIRECTORY
from launch.rehearsal.fault_lines import fault_line
from launch.rehearsal.job import prepare_job, run_job
from launch.rehearsal.objective import read_metrics
from launch.rehearsal.running import Ended, RunningJob
from launch.rehearsal.service_files import CODE_CHANNEL
from tests.launch.service.bucket import download_folder, read_bytes, upload_folder, upload_tar
from tests.launch.service.cloud_log import CloudLog

SECONDS = 280.0


class TrainingJob:
    """One job, and the truth about it.

    Attributes:
        truth: the members of `DescribeTrainingJob` that moto does not know or has wrong.
    """

    def __init__(self, request: Mapping[str, Any], client: Callable[[str], Any], folder: Path, toolkit: Path) -> None:
        self.request = request
        self.name: str = request["TrainingJobName"]
        self._client, self._folder, self._toolkit = client, folder / self.name, toolkit
        self._running: RunningJob | None = None
        self._stopped = threading.Event()
        self.truth: dict[str, Any] = {
            **_echoed(request),
            "CreationTime": time.time(),
            "TrainingJobStatus": "InProgress",
            "SecondaryStatusTransitions": [],
        }
        self._enter("Starting")

    @property
    def ended(self) -> bool:
        return self.truth["TrainingJobStatus"] not in ("InProgress", "Stopping")

    def stop(self) -> None:
        if self.ended:
            return
        self._stopped.set()
        self.truth["TrainingJobStatus"] = "Stopping"
        if self._running is not None:
            self._running.stop()

    def execute(self) -> None:
        """Run the job to its end; what goes wrong in between is the job's failure."""
        began = time.time()
        try:
            self._end(self._run(), began)
        except Exception as error:
            self._finish("Failed", began, FailureReason=f"{type(error).__name__}: {error}")

    def _run(self) -> Ended | None:
        self._enter("Downloading")
        s3, job = self._client("s3"), self.request
        archive = read_bytes(s3, self._source())
        channels = {name: download_folder(s3, uri, self._folder / "channels" / name) for name, uri in self._channels()}
        checkpoints = self._folder / "checkpoints"
        checkpoints.mkdir(parents=True)
        if kept := job.get("CheckpointConfig"):
            download_folder(s3, kept["S3Uri"], checkpoints)
        self._running = prepare_job(
            job,
            archive,
            channels,
            self._folder / "job",
            toolkit=self._toolkit,
            cache_dir=self._folder.parent / "cache",
            checkpoints=checkpoints,
        )
        if self._stopped.is_set():
            return None
        self._enter("Training")
        log = CloudLog(self._client("logs"), self.name)
        ended = run_job(job, self._running, log.line, seconds=SECONDS)
        log.close()
        self._upload(s3, checkpoints)
        return ended

    def _source(self) -> str:
        given: str = json.loads(self.request["HyperParameters"][SUBMIT_DIRECTORY])
        return given if given.startswith("s3://") else dict(self._channels(code=True))[CODE_CHANNEL]

    def _channels(self, *, code: bool = False) -> list[tuple[str, str]]:
        channels = self.request.get("InputDataConfig", [])
        found = [(item["ChannelName"], item["DataSource"]["S3DataSource"]["S3Uri"]) for item in channels]
        return [(name, uri) for name, uri in found if code or name != CODE_CHANNEL]

    def _upload(self, s3: Any, checkpoints: Path) -> None:
        assert self._running is not None
        self._enter("Uploading")
        upload_tar(s3, self._running.hosts[0].model, f"{self._output}/model.tar.gz")
        upload_tar(s3, self._running.hosts[0].output, f"{self._output}/output.tar.gz")
        if kept := self.request.get("CheckpointConfig"):
            upload_folder(s3, checkpoints, kept["S3Uri"])

    @property
    def _output(self) -> str:
        return f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"

    def _end(self, ended: Ended | None, began: float) -> None:
        if ended is None or self._stopped.is_set():
            self._finish("Stopped", began)
        elif ended.timed_out:
            self._finish("Stopped", began, SecondaryStatus="MaxRuntimeExceeded")
        elif ended.succeeded:
            self._finish("Completed", began, **self._left(ended))
        else:
            reason = f"AlgorithmError: {(ended.failure or fault_line(ended))[:1024]}, exit code: 1"
            self._finish("Failed", began, FailureReason=reason, **self._left(ended))

    def _left(self, ended: Ended) -> dict[str, Any]:
        values = read_metrics(ended.lines, self.request["AlgorithmSpecification"].get("MetricDefinitions", []))
        return {
            "ModelArtifacts": {"S3ModelArtifacts": f"{self._output}/model.tar.gz"},
            "FinalMetricDataList": [
                {"MetricName": name, "Value": found[-1], "Timestamp": time.time()}
                for name, found in values.items()
                if found
            ],
        }

    def _finish(self, status: str, began: float, **members: Any) -> None:
        seconds = max(int(time.time() - began), 1)
        self._enter(members.pop("SecondaryStatus", status))
        self.truth |= members | {
            "TrainingStartTime": began,
            "TrainingEndTime": time.time(),
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds,
            "TrainingJobStatus": status,
        }

    def _enter(self, status: str) -> None:
        now = time.time()
        transitions = [{"EndTime": now} | item for item in self.truth["SecondaryStatusTransitions"]]
        entered = {"Status": status, "StartTime": now, "StatusMessage": f"{status} the job"}
        self.truth |= {
            "SecondaryStatus": status,
            "LastModifiedTime": now,
            "SecondaryStatusTransitions": [*transitions, entered],
        }


def _echoed(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a description repeats of the request, where moto drops or replaces it."""
    rules = {"DebugRuleConfigurations": "DebugRuleEvaluationStatuses"}
    rules["ProfilerRuleConfigurations"] = "ProfilerRuleEvaluationStatuses"
    statuses = {
        answer: [
            {"RuleConfigurationName": rule["RuleConfigurationName"], "RuleEvaluationStatus": "NoIssuesFound"}
            for rule in request[asked]
        ]
        for asked, answer in rules.items()
        if asked in request
    }
    return {key: value for key, value in request.items() if key != "Tags"} | statuses
