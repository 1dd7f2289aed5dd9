"""What an account has to be allowed for a job or an endpoint: quotas, by the names of AWS's Service Quotas."""

from __future__ import annotations

from launch.requests.machines import machines
from launch.requests.request import Request

USES = {
    "training": "for training job usage",
    "spot": "for spot training job usage",
    "warm": "for training warm pool usage",
    "endpoint": "for endpoint usage",
    "transform": "for transform job usage",
}


def quota_name(instance_type: str, use: str) -> str:
    """The name of the quota for so many machines of a type at a time.

    Args:
        instance_type: as SageMaker names it.
        use: a key of `USES`.

    >>> quota_name("ml.g4dn.xlarge", "spot")
    'ml.g4dn.xlarge for spot training job usage'
    """
    return f"{instance_type} {USES[use]}"


def needed_quotas(request: Request) -> dict[str, int]:
    """How many machines each quota has to allow, by its name; of types to fall back to, one's is enough.

    Args:
        request: of a training or tuning job.
    """
    asked = machines(request)
    uses = ["spot" if asked.spot else "training", *(["warm"] if asked.warm else [])]
    return {quota_name(name, use): asked.count * asked.parallel for name in asked.instance_types for use in uses}


def training_quotas(request: Request) -> list[str]:
    """What the account has to allow for a training or tuning job: lines for a terminal."""
    return [f"{name}: {count} at least" for name, count in needed_quotas(request).items()]
