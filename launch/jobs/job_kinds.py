"""The kinds of jobs, and what the service calls each thing of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import cloud_errors, is_missing

# A job that has ended in one of these can be begun anew. One that is still stopping has not: it writes checkpoints.
UNSUCCESSFUL = ("Failed", "Stopped")
MOST_ATTEMPTS = 100
ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class JobKind:
    """A kind of job.

    Attributes:
        name: training, tuning or transform.
        noun: as operations and keys name it.
        create: botocore's method.
        describe: botocore's method.
        stop: botocore's method.
    """

    name: str
    noun: str
    create: str
    describe: str
    stop: str

    @property
    def operation(self) -> str:
        """That creates one."""
        return f"Create{self.noun}"

    def call(self, client: Any, method: str, **parameters: Any) -> dict[str, Any]:
        """What the service answers.

        Raises:
            botocore.exceptions.ClientError: it refused.
        """
        ask: Callable[..., dict[str, Any]] = getattr(client, method)
        return ask(**parameters)

    def described(self, client: Any, name: str) -> dict[str, Any] | None:
        """What the service says of a job; None where there is none of that name.

        Raises:
            CloudError: the service refused, or could not be asked.
        """
        from botocore.exceptions import ClientError

        with cloud_errors():
            try:
                return self.call(client, self.describe, **{f"{self.noun}Name": name})
            except ClientError as error:
                if is_missing(error):
                    return None
                raise

    def status(self, description: Mapping[str, Any]) -> str:
        """In the service's words."""
        return str(description[f"{self.noun}Status"])

    def arn(self, description: Mapping[str, Any]) -> str:
        """Of a job that was described."""
        return str(description[f"{self.noun}Arn"])


KINDS = {
    kind.name: kind
    for kind in (
        JobKind("training", "TrainingJob", "create_training_job", "describe_training_job", "stop_training_job"),
        JobKind(
            "tuning",
            "HyperParameterTuningJob",
            "create_hyper_parameter_tuning_job",
            "describe_hyper_parameter_tuning_job",
            "stop_hyper_parameter_tuning_job",
        ),
        JobKind("transform", "TransformJob", "create_transform_job", "describe_transform_job", "stop_transform_job"),
    )
}
# Those that can be followed by their name alone.
ATTACHED = ("training", "tuning")


def kind_of(client: Any, name: str) -> str:
    """Whether a job is a training or a tuning job.

    Raises:
        CloudError: there is no job of that name, or the service could not be asked.
    """
    for kind in ATTACHED:
        if KINDS[kind].described(client, name) is not None:
            return kind
    raise CloudError(
        f"There is no job {name} in {client.meta.region_name}: look at the name and at job.region; "
        "`python -m launch.cleanup` lists the jobs that run."
    )
