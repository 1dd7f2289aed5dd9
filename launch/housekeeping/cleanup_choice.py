"""Which of what is alive is meant by the names that were given."""

from __future__ import annotations

from collections.abc import Sequence

from dogbreed.errors import ConfigError
from launch.accounts.account import Account
from launch.housekeeping.living import CONFIG, ENDPOINT, MODEL, Living, endpoint_config, or_none

ALL, S3 = "all", "s3"


def chosen(found: Sequence[Living], names: Sequence[str]) -> list[Living]:
    """What the names stand for, in the order in which it is ended.

    An endpoint often shares its name with its configuration: the name stands for the endpoint alone then.

    Raises:
        ConfigError: there is nothing of a name.
    """
    if ALL in names:
        return list(found)
    for name in set(names) - {S3}:
        if all(one.name != name for one in found):
            there = ", ".join(sorted({one.name for one in found})) or "nothing"
            raise ConfigError(f"There is nothing of the project with the name {name!r}, but {there}.")
    endpoints = {one.name for one in found if one.kind == ENDPOINT}
    return [one for one in found if one.name in names and not (one.kind in (CONFIG, MODEL) and one.name in endpoints)]


def with_parts(account: Account, found: Sequence[Living], asked: Sequence[Living]) -> list[Living]:
    """An endpoint's configuration and models beside it; what an endpoint that stays needs is left out."""
    parts = {one.name: endpoint_parts(account, one.name) for one in found if one.kind == ENDPOINT}
    gone = {one.name for one in asked if one.kind == ENDPOINT}
    needed = {part for name, own in parts.items() if name not in gone for part in own}
    freed = {part for name, own in parts.items() if name in gone for part in own}
    ending = {(one.kind, one.name) for one in asked} | freed
    return [one for one in found if (one.kind, one.name) in ending - needed]


def endpoint_parts(account: Account, name: str) -> set[tuple[str, str]]:
    """Kind and name of what an endpoint is made of.

    Raises:
        CloudError: the service refused, or could not be asked.
    """
    client = account.client("sagemaker")
    found = or_none(lambda: client.describe_endpoint(EndpointName=name))
    config = endpoint_config(client, found["EndpointConfigName"]) if found else None
    if not config:
        return set()
    models = [*config["ProductionVariants"], *(config.get("ShadowProductionVariants") or ())]
    return {(CONFIG, config["EndpointConfigName"]), *((MODEL, one["ModelName"]) for one in models)}
