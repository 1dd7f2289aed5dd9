"""Amazon SageMaker on loopback: moto for what it knows, jobs and endpoints that really run for the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import boto3
import requests
from moto.server import ThreadedMotoServer

from launch.rehearsal.environment import job_environment
from tests.launch.service.bucket import read_bytes, unpack
from tests.launch.service.endpoint import ServedModel
from tests.launch.service.proxy import Proxy
from tests.launch.service.training import TrainingJob
from tests.launch.service.tuning import TuningJob, arn

REGION = "us-east-1"


class RefusedError(Exception):
    """An error as SageMaker words it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Service:
    """Point `AWS_ENDPOINT_URL` at `url` and use it as AWS, with any credentials.

    Jobs run in the background, by SageMaker's own toolkit; `wait` waits for them all.

    Args:
        folder: for what jobs and endpoints need.
        toolkit: of `launch.rehearsal.environment.toolkit_environment`.
    """

    def __init__(self, folder: Path, toolkit: Path) -> None:
        self._folder, self._toolkit = folder, toolkit
        self._moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._threads: list[threading.Thread] = []
        self._served: dict[str, ServedModel] = {}
        self._configs: dict[str, str] = {}
        self._serving = threading.Lock()
        self.training: dict[str, TrainingJob] = {}
        self.tuning: dict[str, TuningJob] = {}
        self.answers: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
            "CreateTrainingJob": self._create_training,
            "CreateHyperParameterTuningJob": self._create_tuning,
            "DescribeTrainingJob": self._describe_training,
            "StopTrainingJob": self._stop_training,
            "StopHyperParameterTuningJob": self._stop_tuning,
            "ListTrainingJobsForHyperParameterTuningJob": self._list_trials,
            "UpdateEndpoint": self._update_endpoint,
        }
        self.merged: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
            "DescribeTrainingJob": lambda asked, found: found | self.training[asked["TrainingJobName"]].truth,
            "DescribeHyperParameterTuningJob": lambda asked, found: (
                found | self.tuning[asked["HyperParameterTuningJobName"]].truth()
            ),
            "ListTrainingJobs": self._list_training,
            "DescribeEndpoint": self._describe_endpoint,
        }

    def __enter__(self) -> Self:
        self._moto.start()
        host, port = self._moto.get_host_and_port()
        self.moto = f"http://{host}:{port}"
        self._proxy = Proxy(self)
        self.url = self._proxy.start()
        return self

    def __exit__(self, *_: object) -> None:
        for job in [*self.tuning.values(), *self.training.values()]:
            if not job.ended:
                job.stop()
        self.wait()
        for served in self._served.values():
            served.stop()
        self._proxy.stop()
        self._moto.stop()

    def client(self, name: str) -> Any:
        """A client of moto, behind the proxy's back."""
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(name, endpoint_url=self.moto, region_name=REGION, **keys)

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()

    def invoke(self, endpoint: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
        """An endpoint's answer, by a container that is started when it is first asked."""
        with self._serving:
            config = self._config(endpoint)
            if config not in self._served:
                self._served[config] = self.serve(self._model_data(config))
        kept = {name: text for name, text in headers.items() if name.lower() in ("content-type", "accept")}
        return requests.post(f"{self._served[config].url}/invocations", data=body, headers=kept, timeout=60)

    def serve(self, model_data: str) -> ServedModel:
        """The container of a `model.tar.gz` in S3."""
        place = self._folder / f"endpoint-{len(self._served)}"
        model = unpack(read_bytes(self.client("s3"), model_data), place / "model")
        return ServedModel(model, job_environment(place / "environment", self._toolkit))

    def _config(self, endpoint: str) -> str:
        found = self.client("sagemaker").describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        return self._configs.get(endpoint, found)

    def _model_data(self, config: str) -> str:
        sagemaker = self.client("sagemaker")
        variant = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
        container = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
        uri: str = container.get("ModelDataUrl") or container["ModelDataSource"]["S3DataSource"]["S3Uri"]
        return uri

    def _in_background(self, work: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def _register(self, request: Mapping[str, Any]) -> TrainingJob:
        job = TrainingJob(request, self.client, self._folder, self._toolkit)
        self.training[job.name] = job
        return job

    def _create_training(self, asked: dict[str, Any]) -> None:
        _check_new(self.training, asked["TrainingJobName"], "training-job")
        self._in_background(self._register(asked).execute)

    def _create_tuning(self, asked: dict[str, Any]) -> None:
        _check_new(self.tuning, asked["HyperParameterTuningJobName"], "hyper-parameter-tuning-job")
        job = TuningJob(asked, self._register)
        self.tuning[job.name] = job
        self._in_background(job.execute)

    def _describe_training(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """Of trials, which moto does not know; for others moto is asked."""
        name = asked["TrainingJobName"]
        if name not in self.training:
            raise RefusedError("ValidationException", "Requested resource not found.")
        owner = next((tuning for tuning in self.tuning if name.startswith(f"{tuning}-")), None)
        found = {"TrainingJobArn": arn("training-job", name), **self.training[name].truth}
        return None if owner is None else found | {"TuningJobArn": arn("hyper-parameter-tuning-job", owner)}

    def _stop_training(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._known(self.training, asked["TrainingJobName"]).stop()
        return {}

    def _stop_tuning(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._known(self.tuning, asked["HyperParameterTuningJobName"]).stop()
        return {}

    def _list_trials(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "TrainingJobSummaries": self._known(self.tuning, asked["HyperParameterTuningJobName"]).summaries(),
        }

    def _list_training(self, _: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
        listed = [
            item | {"TrainingJobStatus": self.training[item["TrainingJobName"]].truth["TrainingJobStatus"]}
            for item in found["TrainingJobSummaries"]
        ]
        return found | {"TrainingJobSummaries": listed}

    def _update_endpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._config(asked["EndpointName"])
        self._configs[asked["EndpointName"]] = asked["EndpointConfigName"]
        return {"EndpointArn": arn("endpoint", asked["EndpointName"])}

    def _describe_endpoint(self, asked: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
        name = asked["EndpointName"]
        return found | ({"EndpointConfigName": self._configs[name]} if name in self._configs else {})

    def _known(self, jobs: Mapping[str, Any], name: str) -> Any:
        if name not in jobs:
            raise RefusedError("ValidationException", "Requested resource not found.")
        return jobs[name]


def _check_new(jobs: Mapping[str, Any], name: str, kind: str) -> None:
    if name in jobs:
        raise RefusedError(
            "ResourceInUse", f"Job name must be unique within an AWS account and region: {arn(kind, name)}"
        )
