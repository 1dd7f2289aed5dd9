"""What an endpoint is to be: the settings of conf/endpoint/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from dogbreed.arguments import check_arguments
from launch.endpoints.container_environment import check_environment
from launch.endpoints.endpoint_limits import check_contradictions, check_numbers
from launch.requests.instances import processor


@dataclass(frozen=True, kw_only=True)
class EndpointSettings:
    """An endpoint, each setting with the default of conf/endpoint/default.yaml.

    Attributes:
        kind: realtime, serverless or async.
        server: what answers in AWS's image: ray, or torchserve. An image of one's own is told what that one is told.
        instance_type: of each instance; None for serverless.
        instance_count: at the beginning.
        volume_gb: of each instance; None leaves it to the service.
        memory_mb: of a serverless endpoint: 1024 to 6144 in steps of 1024; its processor grows with it.
        max_concurrency: requests that a serverless endpoint answers at once, up to 200.
        provisioned_concurrency: of these, kept warm, which costs by the hour; None for none.
        requests_at_once: that an asynchronous endpoint hands to an instance; None leaves it to the service.
        image: of the container; None for AWS's own.
        framework_version: of AWS's image: for ray the image's own, as 1.4, for torchserve that of PyTorch, as 2.6.0;
            None for the newest.
        ami: of a GPU instance's host, which brings the driver; "auto" for the one that AWS's image needs, None for the
            service's own.
        startup_seconds: 60 to 3600, until the container must answer its health check.
        download_seconds: 60 to 3600, for the model archive.
        response_seconds: for one answer; real-time callers wait for 60 at most.
        workers: processes of the model server, each with a copy of the model; None for one a processor or GPU, and for
            a single one where it is serverless.
        log_level: of Python's logging in the container.
        environment: of the container, beside what is set here. Whoever may describe the model reads it.
        capture_percent: of requests and answers that are kept in the bucket; 0 for none.
        min_instances: of autoscaling; None for no autoscaling.
        max_instances: of autoscaling; None for no autoscaling.
        target_per_instance: requests a minute for each instance, which autoscaling keeps to; for an asynchronous
            endpoint, requests that wait.
        scale_in_seconds: of rest before instances are taken away.
        scale_out_seconds: of rest before more are added.
        canary_percent: of the traffic that an update tries first; None for all at once.
        update_wait_seconds: that an update watches what it has done, before it goes on and before it ends the old
            instances.
        rollback_alarms: names of CloudWatch alarms; one that rings during an update takes it back.
        subnets: of the VPC; none for no VPC.
        security_groups: of the VPC.
        volume_kms_key: of the instances' volumes.
        output_kms_key: of what is captured, and of asynchronous answers.
        network_isolation: whether the container is kept from every network; it can then install nothing.
        tags: on all that is made, beside the project's own.

    Raises:
        ConfigError: a value outside its range, or two that contradict each other.
    """

    kind: str = "realtime"
    server: str = "ray"
    instance_type: str | None = "ml.m5.large"
    instance_count: int = 1
    volume_gb: int | None = None
    memory_mb: int | None = None
    max_concurrency: int | None = None
    provisioned_concurrency: int | None = None
    requests_at_once: int | None = None
    image: str | None = None
    framework_version: str | None = None
    ami: str | None = "auto"
    startup_seconds: int = 900
    download_seconds: int = 900
    response_seconds: int = 60
    workers: int | None = None
    log_level: int = 20
    environment: Mapping[str, str] = field(default_factory=dict)
    capture_percent: int = 0
    min_instances: int | None = None
    max_instances: int | None = None
    target_per_instance: float = 100.0
    scale_in_seconds: int = 300
    scale_out_seconds: int = 60
    canary_percent: int | None = None
    update_wait_seconds: int = 120
    rollback_alarms: Sequence[str] = ()
    subnets: Sequence[str] = ()
    security_groups: Sequence[str] = ()
    volume_kms_key: str | None = None
    output_kms_key: str | None = None
    network_isolation: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_arguments(EndpointSettings, {each.name: getattr(self, each.name) for each in fields(self)}, "endpoint.")
        check_numbers(self)
        check_contradictions(self)
        check_environment(self)

    @property
    def gpu(self) -> bool:
        """Whether its instances have one.

        >>> EndpointSettings(instance_type="ml.g4dn.xlarge").gpu
        True
        """
        return self.instance_type is not None and processor(self.instance_type) == "gpu"

    @property
    def scales(self) -> bool:
        """Whether the number of its instances follows the load."""
        return self.max_instances is not None
