"""Which settings of a job exclude each other, by what AWS publishes with its API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dogbreed.errors import ConfigError
from launch.requests.instances import has_disks

if TYPE_CHECKING:
    from launch.requests.job_settings import JobSettings


def check_contradictions(settings: JobSettings) -> None:
    """No two settings contradict each other.

    Raises:
        ConfigError: two do.
    """
    for found, sentence in CONTRADICTIONS:
        if found(settings):
            raise ConfigError(sentence)


CONTRADICTIONS: tuple[tuple[Callable[[JobSettings], bool], str], ...] = (
    (
        lambda job: job.spot and job.keep_alive_seconds > 0,
        "A spot job gives its machines back and keeps none warm; leave out job.keep_alive_seconds or job.spot.",
    ),
    (
        lambda job: job.spot and bool(job.instance_preferences),
        "SageMaker falls back to other instance types on demand alone; leave out job.instance_preferences or job.spot.",
    ),
    (
        lambda job: job.spot and job.training_plan is not None,
        "A training plan is capacity that is reserved, and spot is what is spare; leave out job.training_plan or "
        "job.spot.",
    ),
    (
        lambda job: job.training_plan is not None and bool(job.instance_preferences),
        "A training plan is of one instance type; leave out job.instance_preferences or job.training_plan.",
    ),
    (
        lambda job: not job.spot and job.max_wait_seconds is not None,
        "Only a spot job waits for its machines; leave out job.max_wait_seconds, or set job.spot=true.",
    ),
    (
        lambda job: job.max_wait_seconds is not None and job.max_wait_seconds < job.max_run_seconds,
        "job.max_wait_seconds holds the training too: raise it to job.max_run_seconds at least.",
    ),
    (
        lambda job: bool(job.subnets) != bool(job.security_groups),
        "A job in your network needs both job.subnets and job.security_groups; give both, or neither.",
    ),
    (
        lambda job: job.network_isolation and job.image is None,
        "With job.network_isolation=true nothing can be installed in the container, and AWS's images lack "
        "Lightning and Hydra; give job.image, an image of your own with all of requirements.txt in it.",
    ),
    (
        lambda job: job.network_isolation and bool(job.requirements),
        "With job.network_isolation=true job.requirements cannot be installed; put them into your own job.image.",
    ),
    (
        lambda job: job.image is not None and job.framework_version is not None,
        "job.image is of one version; leave out job.framework_version.",
    ),
    (
        lambda job: job.volume_kms_key is not None and any(map(has_disks, job.instance_types)),
        "These machines have disks of their own, which they encrypt by themselves; leave out job.volume_kms_key, or "
        "choose a job.instance_type without, for instance ml.c5.2xlarge.",
    ),
    (
        lambda job: job.mlflow_experiment is not None and job.mlflow_resource is None,
        "An experiment of MLflow's is kept by a tracking server; give job.mlflow_resource, its ARN.",
    ),
    (
        lambda job: job.encrypt_traffic and job.instance_count == 1,
        "A single machine sends nothing to others; leave out job.encrypt_traffic, or raise job.instance_count.",
    ),
)
