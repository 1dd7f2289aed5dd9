"""An endpoint that is there: whether it answers, and in which way it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.cloud_errors import cloud_errors, is_missing
from launch.requests.tags import are_ours, tags_by_key

READY = "InService"
# Bytes of a photo, by the way an endpoint is asked.
LARGEST = {"realtime": 6_291_456, "serverless": 4 * 2**20, "async": 64 * 2**20}
# So many endpoints of an account are looked at for the project's.
LOOKED_AT = 50


@dataclass(frozen=True)
class Served:
    """How an endpoint is asked.

    Attributes:
        name: of the endpoint.
        kind: realtime, serverless or async.
        output_uri: where asynchronous answers are left; empty for others.
    """

    name: str
    kind: str
    output_uri: str = ""

    @property
    def largest(self) -> int:
        """Bytes of a photo that it takes."""
        return LARGEST[self.kind]


def described(sagemaker: Any, name: str) -> Mapping[str, Any] | None:
    """What SageMaker says of an endpoint; None where there is none of the name.

    Raises:
        CloudError: it could not be asked.
    """
    from botocore.exceptions import ClientError

    with cloud_errors():
        try:
            found: Mapping[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
    return found


def served(sagemaker: Any, name: str) -> Served:
    """The endpoint, if it answers.

    Raises:
        CloudError: there is none of the name (the project's are listed), or it does not answer now.
    """
    found = described(sagemaker, name)
    if found is None:
        others = ", ".join(project_endpoints(sagemaker)) or "none; python -m launch.deploy model=DIR makes one"
        raise CloudError(f"There is no endpoint {name!r} in this region. The project's: {others}.")
    if found["EndpointStatus"] != READY:
        reason = f": {found['FailureReason']}" if found.get("FailureReason") else ""
        raise CloudError(f"The endpoint {name} does not answer, it is {found['EndpointStatus']}{reason}.")
    with cloud_errors():
        config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    return _of_config(name, config)


def project_endpoints(sagemaker: Any) -> list[str]:
    """The names of endpoints with the project's tag, the newest first.

    Raises:
        CloudError: SageMaker could not be asked.
    """
    with cloud_errors():
        found = sagemaker.list_endpoints(MaxResults=LOOKED_AT, SortBy="CreationTime", SortOrder="Descending")
        return [one["EndpointName"] for one in found["Endpoints"] if is_ours(sagemaker, one["EndpointArn"])]


def is_ours(sagemaker: Any, arn: str) -> bool:
    """Whether something carries the project's tag."""
    return are_ours(tags_of(sagemaker, arn))


def tags_of(sagemaker: Any, arn: str) -> dict[str, str]:
    """The tags of something in SageMaker.

    Raises:
        CloudError: it could not be asked.
    """
    with cloud_errors():
        return tags_by_key(sagemaker.list_tags(ResourceArn=arn)["Tags"])


def _of_config(name: str, config: Mapping[str, Any]) -> Served:
    if asynchronous := config.get("AsyncInferenceConfig"):
        return Served(name, "async", asynchronous["OutputConfig"]["S3OutputPath"])
    serverless = config["ProductionVariants"][0].get("ServerlessConfig")
    return Served(name, "serverless" if serverless else "realtime")
