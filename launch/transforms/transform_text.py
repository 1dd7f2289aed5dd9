"""The plan of a batch transform in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dogbreed.caching.sizes import size
from launch.endpoints.model_source import ModelSource
from launch.requests.prices import ESTIMATE, price
from launch.requests.quotas import quota_name
from launch.requests.transform_settings import TransformSettings
from launch.transforms.photo_place import PhotoPlace
from launch.transforms.transform_order import Transform


def plan_lines(
    plan: Transform,
    settings: TransformSettings,
    source: ModelSource,
    place: PhotoPlace,
    *,
    region: str,
    presumed: Mapping[str, str] = {},
) -> str:
    """Lines for a terminal.

    Args:
        plan: of the job.
        settings: of the job.
        source: of its model.
        place: of its photos.
        region: of all of it.
        presumed: what stands for something unknown in the requests, by its name, and how it becomes known.
    """
    headline = f"Batch transform {plan.name} in {region}: {settings.instance_count} x {settings.instance_type}"
    container = plan.model.parameters
    facts = {
        "model": source.uri + (f" (to upload: {size(len(source.archive.content))})" if source.archive else ""),
        "photos": photos_text(place),
        "image": container["PrimaryContainer"]["Image"],
        "role": container["ExecutionRoleArn"],
        "price": price_text(settings),
        "quota": f"{quota_name(settings.instance_type, 'transform')}: {settings.instance_count} at least",
    }
    lines = [*facts.items(), *_limited(source), *(("unknown", f"{name}: {how}") for name, how in presumed.items())]
    return "\n".join([headline, *(f"  {name:<9}{text}" for name, text in lines)])


def photos_text(place: PhotoPlace) -> str:
    """How many photos are asked about, and where they are."""
    if place.manifest:
        left = f"; {len(place.faults):,} that cannot be answered stay here" if place.faults else ""
        return f"{len(place.manifest.files):,} files, {size(place.manifest.total_bytes)}: {place.uri}{left}"
    return f"{len(place.names):,} objects: {place.uri}" if place.names else place.uri


def price_text(settings: TransformSettings) -> str:
    """What the job costs for as long as it runs.

    >>> price_text(TransformSettings(instance_count=2)).partition(";")[0]
    '$0.460 an hour, until all photos are answered'
    """
    one = price(settings.instance_type)
    if one is None:
        return f"unknown for {settings.instance_type}, by the hour until all photos are answered"
    return f"${one * settings.instance_count:.3f} an hour, until all photos are answered; {ESTIMATE}"


def _limited(source: ModelSource) -> Iterator[tuple[str, str]]:
    for limit in (source.card or {}).get("limits") or ():
        yield "LIMITED", f"the model is of a limited run: {limit}"
