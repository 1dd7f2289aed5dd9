"""The plan of a job in words: what, where, for how much, and what the account has to allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dogbreed.caching.sizes import size
from launch.planning.channels import is_in_s3
from launch.planning.plan import Plan
from launch.requests.machines import machines
from launch.requests.prices import priced
from launch.requests.quotas import training_quotas

MINUTES = 60
# What stands for something unknown in the requests of a dry run, and how it becomes known.
PLACEHOLDERS = {
    "region": "us-east-1 was taken; give job.region=… or set AWS_REGION",
    "account_id": "000000000000 was taken; it is asked for when the job is sent",
    "role": "a name was taken; give job.role=… (python -m launch.permissions prints what it has to allow)",
    "bucket": "SageMaker's own of that account and region; give job.bucket=… for another",
}


def plan_text(plan: Plan, *, region: str, presumed: Mapping[str, str] = {}) -> str:
    """Lines for a terminal.

    Args:
        plan: of the job.
        region: that prices and quotas belong to.
        presumed: what stands for something unknown in the requests, by its name, and how it becomes known.
    """
    return "\n".join([_headline(plan, region), *(f"  {name:<9}{text}" for name, text in _facts(plan, presumed))])


def presumed_facts(placeholders: Sequence[str]) -> dict[str, str]:
    """What to say of each placeholder of an account that was not asked."""
    return {name: PLACEHOLDERS[name] for name in placeholders}


def presumed_names(*places: str) -> dict[str, str]:
    """What to say of names that hashes of what is in S3 will go into; nothing where no place is in S3.

    >>> presumed_names("photos/", "dogbreed-1")
    {}
    """
    unseen = any(is_in_s3(place) for place in places)
    return {"names": "they will be others: a hash of what is in S3 goes into them"} if unseen else {}


def duration(seconds: float) -> str:
    """As people say it.

    >>> duration(14_400), duration(5_400), duration(45)
    ('4 h', '1 h 30 min', '45 s')
    """
    if seconds < MINUTES:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / MINUTES), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


def definition(plan: Plan) -> Mapping[str, Any]:
    """Of a training job, or of those of a search."""
    parameters = plan.request.parameters
    found: Mapping[str, Any] = parameters.get("TrainingJobDefinition", parameters)
    return found


def _headline(plan: Plan, region: str) -> str:
    asked = machines(plan.request)
    spot = "spot " if asked.spot else ""
    each = f"{asked.count} {spot}x {' or '.join(asked.instance_types)}, at most {duration(asked.seconds)}"
    if plan.kind == "training":
        return f"Training job {plan.name} in {region}: {each}"
    jobs = "any number of" if asked.jobs is None else asked.jobs
    return f"Tuning job {plan.name} in {region}: {jobs} training jobs, {asked.parallel} at a time, each {each}"


def _facts(plan: Plan, presumed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    found = definition(plan)
    yield "image", found["AlgorithmSpecification"]["TrainingImage"]
    yield "role", found["RoleArn"]
    if plan.photos:
        manifest = plan.photos.manifest
        yield "photos", f"{len(manifest.files):,} files, {size(manifest.total_bytes)}: {plan.photos.uri}"
    if plan.weights:
        yield "weights", f"{size(plan.weights.path.stat().st_size)}: {plan.weights.uri}"
    yield "source", f"{size(len(plan.archive))}: {plan.source_uri}"
    yield from (("price", line) for line in priced(plan.request))
    yield from (("quota", line) for line in training_quotas(plan.request))
    yield from (("unknown", f"{name}: {how}") for name, how in presumed.items())
