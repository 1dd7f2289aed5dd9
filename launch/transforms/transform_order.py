"""What a user wants asked about, and the plan that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dogbreed.errors import ConfigError
from dogbreed.predicting.table_file import TableFile
from launch.endpoints import hosting
from launch.endpoints.deploy_order import DRY_RUNS, NO_MODEL, Target
from launch.endpoints.deployment import IMAGES
from launch.endpoints.endpoint_settings import EndpointSettings
from launch.endpoints.model_source import ModelSource
from launch.requests.request import Request
from launch.requests.tags import named_by_content
from launch.requests.transform import transform_job
from launch.requests.transform_settings import TransformSettings
from launch.requests.validation import check
from launch.transforms.photo_place import PhotoPlace

# Breeds in an answer: what the model's code can tell.
MOST = 1000


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
    top_k: int = 5
    yes: bool = False
    dry_run: bool | str = False

    def __post_init__(self) -> None:
        if not self.model:
            raise ConfigError(NO_MODEL)
        if not self.photos:
            raise ConfigError("Expected photos=FOLDER, photos=s3://BUCKET/PREFIX, or the s3:// of a manifest.")
        if not 1 <= self.top_k <= MOST:
            raise ConfigError(f"Expected top_k from 1 to {MOST}, got {self.top_k}.")
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
    transform: TransformSettings, endpoint: EndpointSettings, target: Target, source: ModelSource, place: PhotoPlace
) -> Transform:
    """The requests, named by what they ask for, each checked against AWS's description of its API.

    Args:
        transform: what it runs on.
        endpoint: whose container answers, as behind an endpoint.
        target: where it goes.
        source: of the model.
        place: of the photos.

    Raises:
        ConfigError: something that SageMaker would not take.
    """
    image = endpoint.image or IMAGES[endpoint.server](
        target.region, transform.instance_type, endpoint.framework_version
    )
    container = {"image": image, "role": target.role, "region": target.region, "model_data": source.uri}
    model = named_by_content(
        lambda name, tags: hosting.model(name, endpoint, **container, tags=tags),
        transform.tags,
        [source.version],
    )
    own_image = endpoint.image is not None
    of_job = partial(_job, transform, str(model.parameters["ModelName"]), place.uri, target.root, own_image)
    made = Transform(model, named_by_content(of_job, transform.tags, [place.version]))
    for request in (made.model, made.job):
        check(request)
    return made


def _job(
    settings: TransformSettings,
    model: str,
    photos: str,
    root: str,
    own_image: bool,
    name: str,
    tags: Mapping[str, str],
) -> Request:
    output = f"{root}/transform/{name}/"
    return transform_job(name, settings, model=model, photos=photos, output=output, own_image=own_image, tags=tags)
