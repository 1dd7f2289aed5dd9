"""What a job has cost so far: an estimate, from the seconds that the service bills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from launch.requests.prices import ESTIMATE, highest_price


def job_cost(description: Mapping[str, Any]) -> float | None:
    """In US dollars at the price on demand; None before the service bills, or where the type has no known price.

    Billable seconds are those of one machine, and a spot job's are fewer than it ran, by what spot saves.

    >>> resources = {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 2}
    >>> job_cost({"BillableTimeInSeconds": 1800, "ResourceConfig": resources})
    0.736
    """
    seconds, resources = description.get("BillableTimeInSeconds"), description.get("ResourceConfig", {})
    price = an_hour(resources)
    return None if seconds is None or price is None else price * seconds / 3600


def job_resources(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a training job, or of a search's, which may name them in words of its own."""
    found: Mapping[str, Any] = job.get("HyperParameterTuningResourceConfig") or job.get("ResourceConfig") or {}
    return found


def an_hour(resources: Mapping[str, Any]) -> float | None:
    """What the machines of a job cost at most, in US dollars; None where a type has no known price.

    >>> an_hour({"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 2})
    1.472
    >>> an_hour({"InstanceConfigs": [{"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 3}]})
    2.208
    """
    several = resources.get("InstancePreferences") or resources.get("InstanceConfigs") or [resources]
    count = max(one.get("InstanceCount", resources.get("InstanceCount", 1)) for one in several)
    return highest_price(instance_types(resources), count)


def instance_types(resources: Mapping[str, Any]) -> list[str]:
    """Those that a job may run on."""
    several = resources.get("InstancePreferences") or resources.get("InstanceConfigs") or ()
    preferred = [one["InstanceType"] for one in several]
    return preferred or [str(resources.get("InstanceType", ""))]


def cost_line(description: Mapping[str, Any]) -> str | None:
    """Billable seconds and what they cost; None before the service bills.

    >>> cost_line({"BillableTimeInSeconds": 60, "TrainingTimeInSeconds": 200, "ResourceConfig": {}})
    'billed 60 s (70 % saved by spot)'
    """
    billed, trained = description.get("BillableTimeInSeconds"), description.get("TrainingTimeInSeconds")
    if billed is None:
        return None
    saved = f" ({1 - billed / trained:.0%} saved by spot)".replace("%", " %") if trained and billed < trained else ""
    cost = job_cost(description)
    return f"billed {billed} s{saved}" + (f": about ${cost:.2f}, {ESTIMATE}" if cost is not None else "")
