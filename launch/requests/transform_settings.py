"""What a batch transform is to be: the settings of conf/transform.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from dogbreed.arguments import check_arguments
from dogbreed.errors import ConfigError

ACCEPTED = ("application/json", "text/csv")
# Bytes, as AWS counts them.
MEGABYTE = 10**6
# By setting: the least and the most. AWS's page "CreateTransformJob"; of `at_once` what a copy of the model takes:
# it refuses the next ones with a 503, and so often refused a photo would fail the job.
RANGES = {
    "instance_count": (1, 100),
    "at_once": (1, 64),
    "max_payload_mb": (1, 100),
    "response_seconds": (1, 3600),
    "retries": (0, 3),
}
# Megabytes, of all the photos that an instance is given at once.
MOST_AT_ONCE_MB = 100


@dataclass(frozen=True, kw_only=True)
class TransformSettings:
    """A batch transform, each setting with the default of conf/transform.yaml.

    Attributes:
        instance_type: of each instance.
        instance_count: that share the photos.
        at_once: photos that an instance is given at once.
        max_payload_mb: of a photo, in megabytes; `at_once` photos of that size are 100 at most.
        response_seconds: for one answer.
        retries: of a photo that is not answered.
        accept: in which form answers are left: application/json or text/csv.
        ami: of a GPU instance's host, which brings the driver; "auto" for the one that AWS's image needs, None for the
            service's own.
        volume_kms_key: of the instances' volumes.
        output_kms_key: of the answers.
        tags: on all that is made, beside the project's own.

    Raises:
        ConfigError: a value outside its range, or two that contradict each other.
    """

    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1
    at_once: int = 4
    max_payload_mb: int = 25
    response_seconds: int = 60
    retries: int = 3
    accept: str = "application/json"
    ami: str | None = "auto"
    volume_kms_key: str | None = None
    output_kms_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_arguments(TransformSettings, {each.name: getattr(self, each.name) for each in fields(self)}, "transform.")
        for name, (least, most) in RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"Expected transform.{name} from {least} to {most}, got {getattr(self, name)}.")
        if self.accept not in ACCEPTED:
            raise ConfigError(f"Expected transform.accept to be {' or '.join(ACCEPTED)}, got {self.accept!r}.")
        if self.at_once * self.max_payload_mb > MOST_AT_ONCE_MB:
            raise ConfigError(
                f"Expected transform.at_once photos of transform.max_payload_mb to be {MOST_AT_ONCE_MB} MB at most, "
                f"got {self.at_once} of {self.max_payload_mb}; lower one of them."
            )

    @property
    def most_bytes(self) -> int:
        """Of a photo."""
        return self.max_payload_mb * MEGABYTE
