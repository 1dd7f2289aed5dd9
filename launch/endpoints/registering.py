"""A model comes into the registry once, however often it is deployed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from launch.accounts.account import Account
from launch.accounts.cloud_errors import cloud_errors
from launch.endpoints.creation import make, send
from launch.requests.request import Request


def register(account: Account, requests: Sequence[Request]) -> str:
    """Send the requests of `registry.model_package`, unless the group has this model; a sentence about it.

    Raises:
        CloudError: one was refused, or AWS could not be asked.
    """
    group, package = requests
    make(account, group)
    found = next(_same(account.client("sagemaker"), package), None)
    if found:
        return f"The registry has this model already: {found}"
    arn = send(account, package)["ModelPackageArn"]
    return f"Registered, and waits for approval: {arn}"


def _same(sagemaker: Any, package: Request) -> Iterator[str]:
    """The ARNs of versions with the same archive."""
    name, wanted = package.parameters["ModelPackageGroupName"], _archive(package.parameters)
    with cloud_errors():
        for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name):
            for summary in page["ModelPackageSummaryList"]:
                arn = summary["ModelPackageArn"]
                if _archive(sagemaker.describe_model_package(ModelPackageName=arn)) == wanted:
                    yield arn


def _archive(package: Any) -> str:
    return str(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
