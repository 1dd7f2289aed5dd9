"""A job is ended before its time."""

from __future__ import annotations

from dogbreed.errors import CloudError
from launch.accounts.account import Account
from launch.accounts.cloud_errors import cloud_errors
from launch.jobs.job_kinds import KINDS


def stop(account: Account, name: str, kind: str) -> None:
    """End a job; one that has ended is left as it is.

    Raises:
        CloudError: there is no such job, or it could not be asked for.
    """
    one, client = KINDS[kind], account.client("sagemaker")
    found = one.described(client, name)
    if found is None:
        raise CloudError(f"There is no {kind} job {name} in {account.region}.")
    if one.status(found) == "InProgress":
        with cloud_errors():
            one.call(client, one.stop, **{f"{one.noun}Name": name})
