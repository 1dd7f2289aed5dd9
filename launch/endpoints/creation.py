"""Models, configurations and the like are made once: what is there already under the same name and hash is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.account import Account
from launch.accounts.cloud_errors import LOST, cloud_errors, is_missing, is_taken, told
from launch.endpoints.served_endpoint import tags_of
from launch.requests.request import Request
from launch.requests.tags import OF_REQUEST

METHODS = {
    "CreateEndpoint": "create_endpoint",
    "CreateEndpointConfig": "create_endpoint_config",
    "CreateModel": "create_model",
    "CreateModelPackage": "create_model_package",
    "CreateModelPackageGroup": "create_model_package_group",
    "DeleteEndpoint": "delete_endpoint",
    "PutScalingPolicy": "put_scaling_policy",
    "RegisterScalableTarget": "register_scalable_target",
    "UpdateEndpoint": "update_endpoint",
}


@dataclass(frozen=True)
class Kind:
    """Something that can be described by its name.

    Attributes:
        describe: the method that does.
        name: the member that holds its name.
        arn: the member that holds its ARN.
    """

    describe: str
    name: str
    arn: str


KINDS = {
    "CreateModel": Kind("describe_model", "ModelName", "ModelArn"),
    "CreateEndpointConfig": Kind("describe_endpoint_config", "EndpointConfigName", "EndpointConfigArn"),
    "CreateModelPackageGroup": Kind("describe_model_package_group", "ModelPackageGroupName", "ModelPackageGroupArn"),
}


def send(account: Account, request: Request) -> Mapping[str, Any]:
    """Send a request as it is; the answer.

    Raises:
        CloudError: it was refused, or AWS could not be asked.
    """
    with cloud_errors():
        answer: Mapping[str, Any] = _method(account, request)(**request.parameters)
    return answer


def make(account: Account, request: Request) -> bool:
    """Make something unless it is there; whether it was made.

    Raises:
        CloudError: the name is taken by something else, the request was refused, or AWS could not be asked.
    """
    if _is_there(account, request):
        return False
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _method(account, request)(**request.parameters)
    except (BotoCoreError, ClientError) as error:
        # An answer can be lost after the service has done what was asked.
        if (is_taken(error) or type(error).__name__ in LOST) and _is_there(account, request):
            return False
        raise told(error) from error
    return True


def _is_there(account: Account, request: Request) -> bool:
    from botocore.exceptions import ClientError

    kind, client = KINDS[request.operation], account.client(request.service)
    name = request.parameters[kind.name]
    with cloud_errors():
        try:
            found = getattr(client, kind.describe)(**{kind.name: name})
        except ClientError as error:
            if is_missing(error):
                return False
            raise
    wanted = {tag["Key"]: tag["Value"] for tag in request.parameters.get("Tags", ())}.get(OF_REQUEST)
    if wanted is not None and tags_of(client, found[kind.arn]).get(OF_REQUEST) != wanted:
        raise CloudError(f"The name {name} is taken by something that was made from something else: delete that first.")
    return True


def _method(account: Account, request: Request) -> Callable[..., Any]:
    return getattr(account.client(request.service), METHODS[request.operation])  # type: ignore[no-any-return]
