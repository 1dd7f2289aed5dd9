"""A training run in the cloud: the request of a SageMaker training job, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dogbreed.epoch_line import METRICS, metric_regex
from dogbreed.errors import ConfigError
from launch.requests.instances import gpus
from launch.requests.job_settings import JobSettings
from launch.requests.parameter_ranges import hyperparameter_name, hyperparameter_text
from launch.requests.resources import training_resources, tuning_resources
from launch.requests.tags import tag_list
from launch.requests.tuning_settings import given

# The file of the archive that SageMaker's training toolkit starts.
PROGRAM = "container_entry.py"
CHECKPOINTS = "/opt/ml/checkpoints"
# A container without network is brought its source as it is brought photos.
CODE_CHANNEL = "code"
CODE = "/opt/ml/input/data/code"
# Where a run writes it, by conf/paths/sagemaker.yaml.
TENSORBOARD = f"{CHECKPOINTS}/run/tensorboard"
LOG_LEVEL = 20
# Settings that only CreateTrainingJob has members for.
OF_TRAINING_ALONE = ("entrypoint", "remote_debug", "infra_check", "mlflow_resource", "tensorboard")


def training_job(
    name: str,
    settings: JobSettings,
    *,
    image: str,
    role: str,
    region: str,
    channels: Mapping[str, str],
    source_uri: str,
    output_uri: str,
    checkpoint_uri: str | None,
    debugging: Mapping[str, Any] = {},
    tags: Mapping[str, str] = {},
    hyperparameters: Mapping[str, Any] = {},
) -> dict[str, Any]:
    """The request for `CreateTrainingJob`.

    Args:
        name: of the job.
        settings: of the job.
        image: of the container.
        role: ARN of the role that the job runs as.
        region: where it runs.
        channels: where in S3 each is, by the name of its folder below `input/data`; a folder's ends in a slash, since
            without it a prefix is also that of what begins alike.
        source_uri: of the source archive in S3.
        output_uri: below which SageMaker puts model and output.
        checkpoint_uri: where in S3 the checkpoints are kept; None keeps none.
        debugging: members that ask for SageMaker's own rules, as `hosted_debugger` and `hosted_profiler` make them.
        tags: besides those of the settings.
        hyperparameters: settings of the run, by name.

    Raises:
        ConfigError: Debugger with checkpoints on several processes, or a hyperparameter that cannot be sent.
    """
    _check_debugging(settings, debugging, checkpoint_uri)
    run = {hyperparameter_name(key): hyperparameter_text(key, value) for key, value in hyperparameters.items()}
    mlflow = {
        "MlflowResourceArn": settings.mlflow_resource,
        "MlflowExperimentName": settings.mlflow_experiment,
        "MlflowRunName": name,
    }
    request = {
        "TrainingJobName": name,
        "HyperParameters": _toolkit(settings, region, source_uri, sagemaker_job_name=name) | run,
        **_shared(settings, role, channels, source_uri, output_uri, checkpoint_uri),
        "AlgorithmSpecification": _algorithm(settings, image)
        | given(
            {
                "EnableSageMakerMetricsTimeSeries": True,
                "ContainerEntrypoint": list(settings.entrypoint) or None,
            }
        ),
        "ResourceConfig": training_resources(settings),
        "TensorBoardOutputConfig": _if(settings.tensorboard, S3OutputPath=output_uri, LocalPath=TENSORBOARD),
        "RemoteDebugConfig": _if(settings.remote_debug, EnableRemoteDebug=True),
        "InfraCheckConfig": _if(settings.infra_check, EnableInfraCheck=True),
        "MlflowConfig": given(mlflow) if settings.mlflow_resource else None,
        # Unless it is said, SageMaker profiles.
        "ProfilerConfig": {"DisableProfiler": True},
        "Tags": tag_list({**settings.tags, **tags}),
        **debugging,
    }
    return given(request)


def training_definition(
    settings: JobSettings,
    *,
    image: str,
    role: str,
    region: str,
    channels: Mapping[str, str],
    source_uri: str,
    output_uri: str,
    checkpoint_uri: str | None,
) -> dict[str, Any]:
    """The `TrainingJobDefinition` of a tuning job, for `launch.requests.tuning.tuning_job`.

    Args:
        settings: as in `training_job`.
        image: as in `training_job`.
        role: as in `training_job`.
        region: as in `training_job`.
        channels: as in `training_job`.
        source_uri: as in `training_job`.
        output_uri: as in `training_job`.
        checkpoint_uri: as in `training_job`, shared by all trials: each has to keep to a folder of its own.

    Raises:
        ConfigError: a setting that a tuning job has no place for.
    """
    if alone := [name for name in OF_TRAINING_ALONE if getattr(settings, name)]:
        raise ConfigError(
            f"A tuning job has no place for job.{alone[0]}, only a training job has; leave it out of the search."
        )
    resources = "HyperParameterTuningResourceConfig" if settings.instance_preferences else "ResourceConfig"
    definition = {
        "StaticHyperParameters": _toolkit(settings, region, source_uri),
        **_shared(settings, role, channels, source_uri, output_uri, checkpoint_uri),
        "AlgorithmSpecification": _algorithm(settings, image),
        resources: tuning_resources(settings) if settings.instance_preferences else training_resources(settings),
    }
    return given(definition)


def is_distributed(settings: JobSettings) -> bool:
    """Whether several processes train together, each on a GPU or a machine of its own."""
    return settings.instance_count > 1 or any(gpus(name) > 1 for name in settings.instance_types)


def _toolkit(settings: JobSettings, region: str, source_uri: str, **others: Any) -> dict[str, str]:
    """The hyperparameters of SageMaker's training toolkit, each as JSON."""
    archive = f"{CODE}/{source_uri.rpartition('/')[2]}" if settings.network_isolation else source_uri
    values = {
        "sagemaker_program": PROGRAM,
        "sagemaker_submit_directory": archive,
        "sagemaker_region": region,
        "sagemaker_container_log_level": LOG_LEVEL,
        **others,
    }
    if is_distributed(settings):
        values |= {"sagemaker_torch_distributed_enabled": True, "sagemaker_instance_type": settings.instance_type}
    return {name: json.dumps(value) for name, value in values.items()}


def _shared(
    settings: JobSettings,
    role: str,
    channels: Mapping[str, str],
    source_uri: str,
    output_uri: str,
    checkpoint_uri: str | None,
) -> dict[str, Any]:
    """What training jobs and the trials of tuning jobs have alike; None is not sent."""
    brought = [_channel(name, uri) for name, uri in channels.items()]
    if settings.network_isolation:
        brought.append(_channel(CODE_CHANNEL, source_uri) | {"InputMode": "File"})
    stopping = {
        "MaxRuntimeInSeconds": settings.max_run_seconds,
        "MaxWaitTimeInSeconds": settings.wait_seconds,
        "MaxPendingTimeInSeconds": settings.max_pending_seconds,
    }
    return {
        "RoleArn": role,
        "InputDataConfig": brought or None,
        "OutputDataConfig": given({"S3OutputPath": output_uri, "KmsKeyId": settings.output_kms_key}),
        "StoppingCondition": given(stopping),
        "CheckpointConfig": _if(checkpoint_uri is not None, S3Uri=checkpoint_uri, LocalPath=CHECKPOINTS),
        "VpcConfig": _if(
            bool(settings.subnets),
            Subnets=list(settings.subnets),
            SecurityGroupIds=list(settings.security_groups),
        ),
        "EnableManagedSpotTraining": settings.spot,
        "EnableNetworkIsolation": settings.network_isolation,
        "EnableInterContainerTrafficEncryption": settings.encrypt_traffic,
        "RetryStrategy": _if(settings.retries > 0, MaximumRetryAttempts=settings.retries),
        "Environment": dict(settings.environment) or None,
    }


def _algorithm(settings: JobSettings, image: str) -> dict[str, Any]:
    return {
        "TrainingImage": image,
        "TrainingInputMode": settings.input_mode,
        "MetricDefinitions": [{"Name": name, "Regex": metric_regex(name)} for name in METRICS],
    }


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _if(wanted: bool, **members: Any) -> dict[str, Any] | None:
    return members if wanted else None


def _check_debugging(settings: JobSettings, debugging: Mapping[str, Any], checkpoint_uri: str | None) -> None:
    if "DebugHookConfig" in debugging and is_distributed(settings) and checkpoint_uri is not None:
        raise ConfigError(
            "SageMaker's Debugger does not go with checkpoints where several processes train together; leave "
            "debugger.hosted out (debugger=rules runs in the job itself), or train on one machine with one GPU."
        )
