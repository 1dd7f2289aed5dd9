"""What a user wants asked about, and the plan that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dogbreed.data.photos import MAX_PIXELS
from dogbreed.errors import ConfigError
from dogbreed.predicting.table_file import TableFile
from launch.endpoints import hosting
from launch.endpoints.deploy_order import DRY_RUNS, NO_MODEL, Target
from launch.endpoints.deployment import IMAGES
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.requests.request import Request
from launch.requests.tags import named_by_content
from launch.requests.transform import transform_job
from launch.requests.transform_settings import TransformSettings
from launch.requests.validation import check

# Breeds in an answer of the container.
TOP = 5


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be answered.

    Attributes:
        model: a folder, the s3:// of a model.tar.gz, or the name of a training job.
        photos: a folder, the s3:// of one, or of a manifest.
        out: the table to be written.
        overwrite: whether what is there is replaced.
        top_k: breeds of a photo.
        yes: whether nothing is asked.
        dry_run: False, True, or json.

    Raises:
        ConfigError: no model, no photos, or a value that cannot be used.
    """

    model: str
    photos: str
    out: str = "predictions.csv"
    overwrite: bool = False
    top_k: int = TOP
    yes: bool = False
    dry_run: bool | str = False

    def __post_init__(self) -> None:
        if not self.model:
            raise ConfigError(NO_MODEL)
        if not self.photos:
            raise ConfigError("Expected photos=FOLDER, photos=s3://BUCKET/PREFIX, or the s3:// of a manifest.")
        if not 1 <= self.top_k <= TOP:
            raise ConfigError(f"Expected top_k from 1 to {TOP}, which is what a container tells, got {self.top_k}.")
        if self.dry_run not in DRY_RUNS:
            raise ConfigError(f"Expected dry_run to be true, false or json, got {self.dry_run!r}.")

    @property
    def table(self) -> TableFile:
        """The table to be written.

        Raises:
            ConfigError: it cannot be.
        """
        return TableFile(Path(self.out).expanduser(), self.overwrite)


@dataclass(frozen=True)
class Transform:
    """A batch transform that is to be: `model` makes its model, `job` asks it."""

    model: Request
    job: Request

    @property
    def name(self) -> str:
        """Of the job, or of its first attempt."""
        return str(self.job.parameters["TransformJobName"])


def planned(
    transform: TransformSettings, endpoint: EndpointSettings, target: Target, *, model_data: str, photos: str
) -> Transform:
    """The requests, named by what they ask for, each checked against AWS's description of its API.

    Args:
        transform: what it runs on.
        endpoint: whose container answers, as behind an endpoint.
        target: where it goes.
        model_data: of the model.tar.gz in S3.
        photos: as `transform_job` takes them.

    Raises:
        ConfigError: something that SageMaker would not take.
    """
    image = endpoint.image or IMAGES[endpoint.server](
        target.region, transform.instance_type, endpoint.framework_version
    )
    container = {"image": image, "role": target.role, "region": target.region, "model_data": model_data}
    model = named_by_content(
        lambda name, tags: hosting.model(name, endpoint, **container, tags=tags),
        transform.tags,
    )
    of_job = partial(_job, transform, str(model.parameters["ModelName"]), photos, target.root)
    made = Transform(model, named_by_content(of_job, transform.tags))
    for request in (made.model, made.job):
        check(request)
    return made


def _job(
    settings: TransformSettings, model: str, photos: str, root: str, name: str, tags: Mapping[str, str]
) -> Request:
    return transform_job(name, settings, model=model, photos=photos, output=f"{root}/transform/{name}/", tags=tags)


def limits(settings: TransformSettings) -> dict[str, str]:
    """Variables by which the container takes what it is sent: any photo that is read here."""
    return {"DOGBREED_MAX_BYTES": str(settings.most_bytes), "DOGBREED_MAX_PIXELS": str(MAX_PIXELS)}
