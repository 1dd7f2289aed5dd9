"""An endpoint is made, changed, or taken as it is, by what is there under its name."""

from __future__ import annotations

import time
from collections.abc import Callable

from dogbreed.errors import CloudError
from launch.accounts.account import Account
from launch.accounts.cloud_errors import PassingCloudError
from launch.endpoints.creation import make, send
from launch.endpoints.deployment import Deployment
from launch.endpoints.endpoint_wait import POLL_SECONDS, Show, Sleep, wait_until_ready
from launch.endpoints.served_endpoint import described, is_ours
from launch.requests.request import Request

# What a deployment has to do, by the status of the endpoint that has its name: None where there is none.
STEPS: dict[str | None, str] = {
    None: "create",
    "InService": "update",
    "Failed": "replace",
    "OutOfService": "replace",
    "Creating": "wait",
    "Updating": "wait",
    "SystemUpdating": "wait",
    "RollingBack": "wait",
}


def next_step(account: Account, deployment: Deployment) -> str:
    """What is to be done: create, adopt (it is there, and as wanted), update, replace (it has failed) or wait.

    Raises:
        CloudError: an endpoint has the name that is not the project's, or that is being changed to something else.
    """
    sagemaker = account.client("sagemaker")
    found = described(sagemaker, deployment.name)
    status = str(found["EndpointStatus"]) if found else None
    if found and not is_ours(sagemaker, found["EndpointArn"]):
        raise CloudError(f"There is an endpoint {deployment.name} that is not the project's; give another name=NAME.")
    if status not in STEPS:
        raise CloudError(f"The endpoint {deployment.name} is {status}; wait until that is over, then try again.")
    same = found is not None and found["EndpointConfigName"] == deployment.config_name
    step = STEPS[status]
    if step == "wait" and not same:
        raise CloudError(f"The endpoint {deployment.name} is {status}, with another model; wait until that is over.")
    return "adopt" if step == "update" and same else step


def start(account: Account, deployment: Deployment, step: str, *, show: Show, sleep: Sleep = time.sleep) -> None:
    """Do a step of `next_step`, and wait until the endpoint answers.

    Args:
        account: that pays.
        deployment: whose model is in S3.
        step: to be done.
        show: is told what goes on.
        sleep: for so many seconds.

    Raises:
        CloudError: it failed, with the reason and the last lines of the log; or AWS refused something.
    """
    if step == "replace":
        delete(account, deployment.name, show=show, sleep=sleep)
    if step in BEGINNINGS:
        for request in (deployment.model, deployment.config):
            made = make(account, request)
            show(f"{_name(request)} is {'made' if made else 'there already'}.")
        _begin(account, BEGINNINGS[step](deployment))
    if step != "adopt":
        wait_until_ready(account, deployment.name, deployment.settings, deployment.config_name, show=show, sleep=sleep)


BEGINNINGS: dict[str, Callable[[Deployment], Request]] = {
    "create": lambda deployment: deployment.endpoint,
    "replace": lambda deployment: deployment.endpoint,
    "update": lambda deployment: deployment.update,
}


def delete(account: Account, name: str, *, show: Show, sleep: Sleep = time.sleep) -> None:
    """End an endpoint, and what it costs; its model and configuration cost nothing, and stay.

    Raises:
        CloudError: AWS refused, or could not be asked.
    """
    sagemaker = account.client("sagemaker")
    send(account, Request("DeleteEndpoint", {"EndpointName": name}))
    while described(sagemaker, name) is not None:
        sleep(POLL_SECONDS)
    show(f"{name} is deleted.")


def _begin(account: Account, request: Request) -> None:
    try:
        send(account, request)
    except PassingCloudError:
        # The answer may have been lost after the endpoint was begun.
        if described(account.client("sagemaker"), request.parameters["EndpointName"]) is None:
            raise


def _name(request: Request) -> str:
    (name,) = (value for key, value in request.parameters.items() if key in ("ModelName", "EndpointConfigName"))
    return f"{request.operation.removeprefix('Create')} {name}"
