"""The settings of a job: what it runs on, how long, with which protection. Not what it trains: that is the run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from launch.requests import job_limits as limits
from launch.requests.job_contradictions import check_contradictions


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """What `conf/job/` holds, key by key.

    Args:
        instance_type: as SageMaker names it: ml.g4dn.xlarge.
        instance_count: machines; with more than one they train together.
        instance_preferences: types to fall back to, in this order, where the first has no capacity.
        volume_gb: of disk, where the machine has none of its own.
        image: of the container; None for AWS's newest for PyTorch, or that of `framework_version`.
        framework_version: of PyTorch, as AWS's images are named: 2.13.
        role: name or ARN of the role that the job runs as.
        region: None for that of the profile or the environment.
        profile: of your AWS configuration; None for the default one.
        bucket: None for SageMaker's own, of account and region.
        prefix: of all that is put into the bucket.
        spot: whether spare machines are used, which can be taken away; the run then goes on from its checkpoints.
        max_run_seconds: after which the job is ended, all its attempts together.
        max_wait_seconds: of a spot job, waiting included; None for twice `max_run_seconds`.
        max_pending_seconds: of waiting for a machine with GPUs; None waits as long as SageMaker does.
        retries: after errors of SageMaker's own.
        keep_alive_seconds: the machines are kept, and paid, for the next job.
        input_mode: File copies the photos first, FastFile reads them as they are needed.
        subnets: of your network; with `security_groups`.
        security_groups: of your network.
        volume_kms_key: encrypts the disk.
        output_kms_key: encrypts model and output in S3.
        network_isolation: whether the container has no network at all.
        encrypt_traffic: between machines that train together.
        tags: besides the project's.
        environment: variables of the container; no secrets.
        requirements: further lines of requirements.txt.
        mlflow_resource: ARN of a tracking server or app of SageMaker's.
        mlflow_experiment: its name there.
        tensorboard: whether TensorBoard's files reach S3 while the job trains.
        entrypoint: replaces the image's, of a training job alone.
        remote_debug: whether a shell can be opened in the container, through AWS Systems Manager.
        infra_check: whether SageMaker looks after the machine's GPUs and network before it begins.
        training_plan: ARN of capacity that is reserved.
        hook_parameters: of SageMaker's Debugger, for all collections, where it is asked for.

    Raises:
        ConfigError: a value that no job can have, or two that contradict each other.
    """

    instance_type: str = "ml.g4dn.xlarge"
    instance_count: int = 1
    instance_preferences: Sequence[str] = ()
    volume_gb: int = 50
    image: str | None = None
    framework_version: str | None = None
    role: str | None = None
    region: str | None = None
    profile: str | None = None
    bucket: str | None = None
    prefix: str = "dogbreed"
    spot: bool = False
    max_run_seconds: int = 14_400
    max_wait_seconds: int | None = None
    max_pending_seconds: int | None = None
    retries: int = 2
    keep_alive_seconds: int = 0
    input_mode: str = "File"
    subnets: Sequence[str] = ()
    security_groups: Sequence[str] = ()
    volume_kms_key: str | None = None
    output_kms_key: str | None = None
    network_isolation: bool = False
    encrypt_traffic: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    requirements: Sequence[str] = ()
    mlflow_resource: str | None = None
    mlflow_experiment: str | None = None
    tensorboard: bool = False
    entrypoint: Sequence[str] = ()
    remote_debug: bool = False
    infra_check: bool = False
    training_plan: str | None = None
    hook_parameters: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limits.check_kinds(self)
        limits.check_ranges(self)
        limits.check_instance_types(self.instance_types)
        limits.check_texts(self)
        check_contradictions(self)

    @property
    def instance_types(self) -> tuple[str, ...]:
        """Those that the job may run on, the first preferred."""
        return (self.instance_type, *self.instance_preferences)

    @property
    def wait_seconds(self) -> int | None:
        """How long the job may last, waiting included; None where there is nothing to wait for."""
        return (self.max_wait_seconds or 2 * self.max_run_seconds) if self.spot else None
