"""What a user wants deployed, and the plan that comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from dogbreed.errors import ConfigError
from launch.accounts.account import presumed_account
from launch.endpoints.deploy_text import plan_lines
from launch.endpoints.deployment import Deployment, Registration, deployment
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.model_source import ModelSource, presumed_source
from launch.housekeeping.cleanup_choice import ALL, S3
from launch.planning.plan_text import presumed_facts, presumed_names
from launch.requests.job_settings import JobSettings
from launch.requests.request import as_json

# With one of these as a name, the command that is to end the endpoint would end everything.
CLEANUP_WORDS = (ALL, S3)
DRY_RUNS = (False, True, "json")
NO_MODEL = (
    "Expected model=DIR, the model folder that a run left (OUTPUT_DIR/model); or model=JOB, a training job; or "
    "model=s3://BUCKET/…/model.tar.gz."
)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be deployed.

    Attributes:
        model: a folder, the s3:// of a model.tar.gz, or the name of a training job.
        name: of the endpoint; None for one that is a hash of what it is.
        photo: that it has to answer about; None for a drawn one.
        register: whether the model becomes a version in the registry too.
        group: of models in the registry.
        keep: whether an endpoint that does not answer is left as it is, and costs.
        yes: whether nothing is asked.
        dry_run: False, True, or json.

    Raises:
        ConfigError: there is no model to deploy, or a value that cannot be used.
    """

    model: str
    name: str | None = None
    photo: str | None = None
    register: bool = False
    group: str = "dogbreed"
    keep: bool = False
    yes: bool = False
    dry_run: bool | str = False

    def __post_init__(self) -> None:
        if not self.model:
            raise ConfigError(NO_MODEL)
        if self.dry_run not in DRY_RUNS:
            raise ConfigError(f"Expected dry_run to be true, false or json, got {self.dry_run!r}.")
        if self.name in CLEANUP_WORDS:
            raise ConfigError(f"Expected another name=NAME: {self.name!r} means more to python -m launch.cleanup.")


@dataclass(frozen=True)
class Target:
    """Where in AWS a deployment goes.

    Attributes:
        region: of all of it.
        role: ARN that the container runs as.
        root: of the project in S3, without a slash at its end.
    """

    region: str
    role: str
    root: str


def planned(order: Order, settings: EndpointSettings, source: ModelSource, target: Target) -> Deployment:
    """The deployment of a model, as it was ordered.

    Raises:
        ConfigError: something that SageMaker would not take.
    """
    registration = Registration(order.group, source.card or {}, metrics_uri(source, target.root))
    return deployment(
        settings,
        name=order.name,
        role=target.role,
        region=target.region,
        root=target.root,
        model_data=source.uri,
        model_version=source.version,
        registration=registration if order.register else None,
    )


def metrics_uri(source: ModelSource, root: str) -> str:
    """Where in S3 the test figures of a model are for the registry."""
    return f"{root}/metrics/{(source.card or {}).get('digest', 'unknown')}.json"


def dry_run(order: Order, settings: EndpointSettings, job: JobSettings) -> str:
    """What would be sent, asking nobody: the plan and its requests, or their JSON alone.

    Raises:
        DogbreedError: something that cannot be deployed.
    """
    found = presumed_account(job)
    target = Target(found.region, found.role, f"s3://{found.bucket}/{job.prefix}")
    source = presumed_source(order.model, target.root)
    plan = planned(order, settings, source, target)
    requests = as_json(plan.requests)
    if order.dry_run == "json":
        return requests
    presumed = presumed_facts(found.placeholders) | presumed_names(order.model)
    text = plan_lines(plan, source, region=found.region, presumed=presumed)
    return f"{text}\n\nNothing has been sent. The requests:\n{requests}"
