"""Jobs are sent once, whatever happens on the way: the name is a hash of the request, and the tag tells of which."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dogbreed.errors import CloudError
from launch.accounts.account import Account
from launch.accounts.cloud_errors import LOST, cloud_errors, is_taken, told
from launch.jobs.job_kinds import KINDS, MOST_ATTEMPTS, UNSUCCESSFUL, JobKind
from launch.requests.request import Request
from launch.requests.tags import OF_REQUEST, tags_by_key


def send(account: Account, request: Request, *, show: Callable[[str], None] = lambda _: None) -> str:
    """Create the job, unless there is one of the same request that runs or has succeeded; its name.

    After an attempt that failed or was stopped, the next one has the name with -2, -3 and so on.

    Args:
        account: that pays.
        request: `CreateTrainingJob` or another one that makes a job, with its name and the tag of its hash.
        show: is told of a job that is found rather than made.

    Raises:
        CloudError: the service refused or could not be asked, or another request's job has the name. No second job
            is there in any of these cases; the same call finds the first.
    """
    kind = next(kind for kind in KINDS.values() if kind.operation == request.operation)
    client = account.client("sagemaker")
    first = str(request.parameters[f"{kind.noun}Name"])
    for name in _names(first):
        found = kind.described(client, name) or _created(client, kind, name, renamed(request.parameters, first, name))
        if found is None:
            return name
        _check_same(client, kind, name, found, request)
        status = kind.status(found)
        if status not in UNSUCCESSFUL:
            show(f"{name} is there already ({status}): the same request, so nothing new is sent.")
            return name
        show(f"{name} has {status.lower()}: the next attempt gets a name of its own.")
    raise CloudError(
        f"{first} did not succeed in {MOST_ATTEMPTS} attempts; read the reason of the last, and change it."
    )


def next_attempt(account: Account, kind: JobKind, first: str) -> tuple[str, bool]:
    """The name under which `send` will find or make a job, and whether it is there already.

    Args:
        account: of the job.
        kind: of the job.
        first: name of its first attempt.

    Raises:
        CloudError: the service could not be asked.
    """
    client = account.client("sagemaker")
    for name in _names(first):
        found = kind.described(client, name)
        if found is None or kind.status(found) not in UNSUCCESSFUL:
            return name, found is not None
    return name, True


def _names(first: str) -> list[str]:
    return [first, *(f"{first}-{attempt}" for attempt in range(2, MOST_ATTEMPTS + 1))]


def renamed(value: Any, old: str, new: str) -> Any:
    """The parameters with another name, wherever the job's name is said: a hyperparameter repeats it as JSON.

    >>> renamed({"TrainingJobName": "a", "HyperParameters": {"sagemaker_job_name": '"a"'}, "x": ["ab"]}, "a", "a-2")
    {'TrainingJobName': 'a-2', 'HyperParameters': {'sagemaker_job_name': '"a-2"'}, 'x': ['ab']}
    """
    if isinstance(value, Mapping):
        return {key: renamed(inner, old, new) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [renamed(inner, old, new) for inner in value]
    said = {old: new, json.dumps(old): json.dumps(new)}
    return said.get(value, value) if isinstance(value, str) else value


def _created(client: Any, kind: JobKind, name: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """None for a job that was made; what the service says of it where there was one after all.

    An answer can be lost after the service has made the job.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        kind.call(client, kind.create, **parameters)
    except (BotoCoreError, ClientError) as error:
        in_doubt = is_taken(error) or type(error).__name__ in LOST
        found = kind.described(client, name) if in_doubt else None
        if found is None:
            raise told(error) from error
        return found
    return None


def _check_same(client: Any, kind: JobKind, name: str, found: Mapping[str, Any], request: Request) -> None:
    wanted = tags_by_key(request.parameters.get("Tags", ())).get(OF_REQUEST)
    with cloud_errors():
        made_of = tags_by_key(client.list_tags(ResourceArn=kind.arn(found))["Tags"]).get(OF_REQUEST)
    if wanted is None or made_of != wanted:
        raise CloudError(
            f"The name {name} is taken by a job that was made from something else (its tag {OF_REQUEST} is "
            f"{made_of!r}): change a setting, or the region, and this job gets another name."
        )
