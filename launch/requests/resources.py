"""The machines that a job asks for, in the words of the API."""

from __future__ import annotations

from typing import Any

from dogbreed.errors import ConfigError
from launch.requests.job_settings import JobSettings
from launch.requests.tuning_settings import given


def training_resources(settings: JobSettings) -> dict[str, Any]:
    """The `ResourceConfig` of a training job; of a search's, where it falls back to no other type."""
    preferences = (
        [{"InstanceType": name} for name in settings.instance_types] if settings.instance_preferences else None
    )
    resources = {
        "InstanceType": None if preferences else settings.instance_type,
        "InstancePreferences": preferences,
        "InstanceCount": settings.instance_count,
        "VolumeSizeInGB": settings.volume_gb,
        "VolumeKmsKeyId": settings.volume_kms_key,
        "KeepAlivePeriodInSeconds": settings.keep_alive_seconds or None,
        "TrainingPlanArn": settings.training_plan,
    }
    return given(resources)


def tuning_resources(settings: JobSettings) -> dict[str, Any]:
    """The `HyperParameterTuningResourceConfig` of a search that falls back to other types.

    Raises:
        ConfigError: machines are to be kept warm, which it has no place for.
    """
    if settings.keep_alive_seconds:
        raise ConfigError(
            "A tuning job that falls back to other instance types keeps none warm; leave out job.keep_alive_seconds or "
            "job.instance_preferences."
        )
    size = {"InstanceCount": settings.instance_count, "VolumeSizeInGB": settings.volume_gb}
    resources = {
        "InstanceConfigs": [{"InstanceType": name, **size} for name in settings.instance_types],
        "AllocationStrategy": "Prioritized",
        "VolumeKmsKeyId": settings.volume_kms_key,
    }
    return given(resources)
